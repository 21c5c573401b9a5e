import { eq, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { cryptoKeys, rememberedRequests } from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import { describeStores, newKey, oldKey } from './stores-fixture.ts';

const aspId = 'TESTASP00000001';
const register = '/bankaccounts/ars/register';

describeStores((on) => {
  const store = () => on.stores.rememberedRequests;
  const age = (digest: string, interval: string) =>
    on.database.queries
      .update(rememberedRequests)
      .set({ firstSeenAt: sql`clock_timestamp() - ${interval}::interval` })
      .where(eq(rememberedRequests.digest, digest));

  it('remembers a ciphertext with its operation, once for each service provider', async () => {
    const see = (asp = aspId, operation = register) =>
      store().rememberCiphertext(asp, 'a ciphertext', operation, 'a key');
    const seen = await Promise.all(Array.from({ length: 10 }, () => see()));
    expect(seen.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(await see(aspId, '/another')).toMatchObject({ isNew: false, operation: register });
    expect(await see('TESTASP00000002')).toMatchObject({ isNew: true });
  });

  it('lets a ciphertext be repeated for ten minutes, and for a day once it had its effect', async () => {
    const see = () => store().rememberCiphertext(aspId, 'another ciphertext', register, 'a key');
    const first = await see();
    expect(await see()).toMatchObject({ isRepeatable: true, hasEffect: false });
    await age(first.digest, '11 minutes');
    expect(await see()).toMatchObject({ isRepeatable: false });
    await store().noteEffect([first]);
    expect(await see()).toMatchObject({ isRepeatable: true, hasEffect: true });
    await age(first.digest, '25 hours');
    expect(await see()).toMatchObject({ isRepeatable: false, hasEffect: true });
  });

  it('tells whether an Idempotency-Key came with the same fields, after a rotation of the database keys too', async () => {
    const request = { userId: '1', bankAccount: '110' };
    const first = await store().rememberKey(aspId, 'order 1', register, request);
    expect(first).toMatchObject({ isNew: true, isSame: true });
    const rotated = createStores(on.database.queries, `${newKey},${oldKey}`).rememberedRequests;
    expect(await rotated.rememberKey(aspId, 'order 1', register, request)).toMatchObject({ isSame: true });
    const other = { ...request, bankAccount: '111' };
    expect(await store().rememberKey(aspId, 'order 1', register, other)).toMatchObject({ isSame: false });
    expect(await store().rememberKey(aspId, 'order 1', '/other', other)).toMatchObject({ isNew: true });
    await store().noteEffect([first]);
    await age(first.digest, '25 hours');
    expect(await store().rememberKey(aspId, 'order 1', register, other)).toMatchObject({
      isSame: true,
      hasEffect: false,
    });
  });

  it('binds a request to one registration, even when copies of it do that at once', async () => {
    const key = await store().rememberKey(aspId, 'order 2', register, {});
    const bound = await Promise.all(['A', 'B', 'C', 'D'].map((number) => store().bind(key, number)));
    expect(new Set(bound).size).toBe(1);
    expect(await store().bind(key, 'E', 'not this one')).toBe(bound[0]);
    const again = await Promise.all(['F', 'G'].map((number) => store().bind(key, number, bound[0])));
    expect(new Set(again).size).toBe(1);
    expect(again[0]).not.toBe(bound[0]);
  });

  it('releases an Idempotency-Key that had no effect', async () => {
    const see = () => store().rememberKey(aspId, 'order 3', register, {});
    const member = await on.addMember();
    const number = await on.addRegistration(member);
    await store().bind(await see(), number);
    await store().release(await see(), { onlyIfNothing: true });
    expect(await see()).toMatchObject({ isNew: false });
    await on.stores.registrations.withdraw(number);
    await store().release(await see(), { onlyIfNothing: true });
    expect(await see()).toMatchObject({ isNew: true });
    await store().release(await see(), { onlyIfNothing: false });
    const last = await see();
    expect(last).toMatchObject({ isNew: true });
    await store().noteEffect([last]);
    await store().release(last, { onlyIfNothing: false });
    expect(await see()).toMatchObject({ isNew: false });
  });

  it('deletes keys after a day, and ciphertexts when their key is discarded', async () => {
    const [key] = await on.database.queries.select().from(cryptoKeys).limit(1);
    const { cryptoKeyId } = key!;
    await store().rememberCiphertext(aspId, 'kept', register, cryptoKeyId);
    const { digest } = await store().rememberKey(aspId, 'order 4', register, {});
    await store().deleteExpired();
    await age(digest, '25 hours');
    const old = await store().rememberCiphertext(aspId, 'old', register, cryptoKeyId);
    await age(old.digest, '1 year');
    expect(await store().deleteExpired()).toEqual({ idempotencyKeys: 1, ciphertexts: 0 });
    await on.database.queries
      .update(cryptoKeys)
      .set({ state: 'DISCARDED' })
      .where(eq(cryptoKeys.cryptoKeyId, cryptoKeyId));
    expect(await store().deleteExpired()).toEqual({ idempotencyKeys: 0, ciphertexts: 2 });
  });
});
