import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { registrations } from '../../database/schema.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { describeStores, erasure } from './stores-fixture.ts';

describeStores((on) => {
  it('inserts no registration for a member who is erased concurrently', async () => {
    for (let round = 0; round < 20; round++) {
      const member = await on.addMember();
      const [{ state }, number] = await Promise.all([
        on.stores.members.erase(member.aspId, member.userId, erasure),
        on.addRegistration(member).catch((error: Error) => error.message),
      ]);
      const rows = await on.database.queries.$count(registrations, eq(registrations.userId, member.userId));
      expect([state, rows]).toEqual(number === 'not added' ? ['ERASED', 0] : ['BEING_REGISTERED', 1]);
    }
    const erased = await on.addMember();
    await on.stores.members.erase(erased.aspId, erased.userId, erasure);
    await expect(on.addRegistration(erased)).rejects.toThrow('not added');
  });

  it('leaves a member unchanged when it is added again', async () => {
    const { userId, facts } = await on.addMember();
    await on.stores.members.add('TESTASP00000001', [{ ...inventMember('4711'), userId }]);
    await on.stores.members.add('TESTASP00000002', [{ ...inventMember('4711'), userId }]);
    expect((await on.stores.members.find('TESTASP00000001', userId))?.facts).toEqual(facts);
  });

  it('shows a service provider nothing of another one', async () => {
    const member = await on.addMember();
    const number = await on.addRegistration(member);
    await on.stores.registrations.begin(number);
    expect(await on.stores.registrations.find('TESTASP00000001', number)).toMatchObject({
      userId: member.userId,
    });
    expect(await on.stores.registrations.find('TESTASP00000002', number)).toBeUndefined();
    expect(await on.stores.members.find('TESTASP00000002', member.userId)).toBeUndefined();
    const listed = await on.stores.registrations.list('TESTASP00000002', { limit: 100 });
    expect(listed).toEqual([]);
  });
});
