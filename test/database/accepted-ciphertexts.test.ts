import { expect, it } from 'vitest';
import { describeStores } from './stores-fixture.ts';

describeStores((on) => {
  it('accepts a ciphertext once, even if it arrives concurrently, until its hash is deleted', async () => {
    const accept = (aspId: string, expiresAt: number) =>
      on.stores.acceptedCiphertexts.accept(aspId, 'a ciphertext', new Date(expiresAt));
    const past = Date.now() - 1;
    const answers = await Promise.all(Array.from({ length: 10 }, () => accept('TESTASP00000001', past)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await accept('TESTASP00000002', Date.now() + 60_000)).toBe(true);
    await on.stores.acceptedCiphertexts.forgetExpired();
    expect(await accept('TESTASP00000001', past)).toBe(true);
    expect(await accept('TESTASP00000002', past)).toBe(false);
  });
});
