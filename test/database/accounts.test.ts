import { describe, expect, it } from 'vitest';
import type { Member } from '../../database/members.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { accounts } from '../../database/schema.ts';
import { describeStores, newProject } from './stores-fixture.ts';

const registered = { state: 'REGISTERED' } as const;

describeStores((on) => {
  async function accountStates({ userId }: Member): Promise<Record<string, string>> {
    const all = await on.stores.accounts.listOf(userId);
    return Object.fromEntries(all.map(({ registrationNumber, state }) => [registrationNumber, state]));
  }

  describe('activating an account', () => {
    it('leaves one active account when ten are activated concurrently', async () => {
      const member = await on.addMember();
      const numbers = await Promise.all(Array.from({ length: 10 }, () => on.addRegistration(member)));
      const activated = Promise.all(numbers.map((number) => on.register(number)));
      await expect(activated).resolves.toHaveLength(10);
      const states = Object.values(await accountStates(member)).toSorted();
      expect(states).toEqual(['ACTIVE', ...Array.from({ length: 9 }, () => 'REPLACED')]);
    });

    it('is refused by the database itself while another account is active', async () => {
      const member = await on.addMember();
      const [active, second] = [await on.addRegistration(member), await on.addRegistration(member)];
      await on.register(active);
      const { userId } = member;
      const row = {
        registrationNumber: second,
        userId,
        accountId: '00002',
        state: 'ACTIVE' as const,
        seal: '',
      };
      await expect(on.database.queries.insert(accounts).values(row)).rejects.toThrow('Failed query');
      expect(await accountStates(member)).toEqual({ [active]: 'ACTIVE' });
    });

    it('is idempotent, whoever repeats the verdict', async () => {
      const member = await on.addMember();
      const [old, replacement] = [await on.addRegistration(member), await on.addRegistration(member)];
      await on.register(old);
      await on.register(replacement);
      const before = await on.stores.registrations.find(member.aspId, replacement);
      for (const source of ['ANSWER', 'CALLBACK', 'INQUIRY'] as const) {
        const repeated = await on.stores.ledger.decideRegistration(replacement, registered, source);
        expect(repeated).toMatchObject({ ended: false, followUps: [] });
      }
      expect(await on.stores.registrations.find(member.aspId, replacement)).toEqual(before);
      expect(await accountStates(member)).toEqual({ [old]: 'REPLACED', [replacement]: 'ACTIVE' });
    });

    it('numbers a member’s results without gaps, even if an end is recorded repeatedly', async () => {
      const aspId = 'TESTASP00000004';
      await on.stores.projects.add({ ...newProject, aspId, accessKey: 'fourth', cryptoKeyId: 'fourth' });
      await on.stores.projects.setNotificationUrl(aspId, 'https://provider.example/results');
      const invented = inventMember(on.nextUserId());
      await on.stores.members.add(aspId, [invented]);
      const member = (await on.stores.members.find(aspId, invented.userId))!;
      const sequences: (number | undefined)[] = [];
      for (const end of ['register', 'fail', 'register'] as const) {
        const number = await on.addRegistration(member);
        for (let time = 0; time < 3; time++) await on[end](number);
        sequences.push((await on.stores.resultNotifications.find(number))?.sequence);
      }
      expect(sequences).toEqual([1, 2, 3]);
    });

    it('leaves the newer account active when the verdict on an older one is repeated', async () => {
      const member = await on.addMember();
      const [old, replacement] = [await on.addRegistration(member), await on.addRegistration(member)];
      await on.register(old);
      await on.register(replacement);
      await on.stores.ledger.decideRegistration(old, registered, 'CALLBACK');
      expect(await accountStates(member)).toEqual({ [old]: 'REPLACED', [replacement]: 'ACTIVE' });
    });
  });

  it('activates accounts and places legal holds of one member concurrently', async () => {
    for (let round = 0; round < 10; round++) {
      const member = await on.addMember();
      const numbers = await Promise.all(Array.from({ length: 4 }, () => on.addRegistration(member)));
      const held = await Promise.all(
        numbers.map(async (number) => {
          const [, outcome] = await Promise.all([
            on.register(number),
            on.stores.legalHolds.hold(number, { operator: 'kim', reason: 'a complaint' }),
          ]);
          await on.stores.legalHolds.release(number, { operator: 'kim', reason: 'settled' });
          return outcome;
        }),
      );
      expect(held).toEqual(numbers.map(() => 'HELD'));
    }
  });
});
