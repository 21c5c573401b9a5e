import { describe, expect, it } from 'vitest';
import type { Member } from '../../database/members.ts';
import { accounts } from '../../database/schema.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { describeStores, newProject } from './stores-fixture.ts';

describeStores((on) => {
  async function accountStates({ userId }: Member): Promise<Record<string, string>> {
    const all = await on.stores.accounts.listOf(userId);
    return Object.fromEntries(all.map(({ registrationNumber, state }) => [registrationNumber, state]));
  }

  describe('activating an account', () => {
    it('leaves one active account when ten are activated concurrently', async () => {
      const member = await on.addMember();
      const numbers = await Promise.all(Array.from({ length: 10 }, () => on.addRegistration(member)));
      const activations = numbers.map((number) => on.stores.registrations.activate(number, []));
      await expect(Promise.all(activations)).resolves.toHaveLength(10);
      const states = Object.values(await accountStates(member)).toSorted();
      expect(states).toEqual(['ACTIVE', ...Array.from({ length: 9 }, () => 'REPLACED')]);
    });

    it('is refused by the database itself while another account is active', async () => {
      const member = await on.addMember();
      const [active, other] = [await on.addRegistration(member), await on.addRegistration(member)];
      await on.stores.registrations.activate(active, []);
      const { userId } = member;
      const row = { registrationNumber: other, userId, accountId: '12345', state: 'ACTIVE' } as const;
      await expect(on.database.queries.insert(accounts).values(row)).rejects.toThrow('Failed query');
    });

    it('is idempotent', async () => {
      const member = await on.addMember();
      const [old, replacement] = [await on.addRegistration(member), await on.addRegistration(member)];
      expect(await on.stores.registrations.activate(old, [])).toEqual({
        replaced: null,
        hasNotification: false,
      });
      expect(await on.stores.registrations.activate(replacement, [])).toEqual({
        replaced: old,
        hasNotification: false,
      });
      const before = await on.stores.registrations.find(member.aspId, replacement);
      expect(await on.stores.registrations.activate(replacement, [])).toEqual({
        replaced: old,
        hasNotification: false,
      });
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
      for (const end of ['activate', 'fail', 'activate'] as const) {
        const number = await on.addRegistration(member);
        for (let time = 0; time < 3; time++) {
          const ending =
            end === 'activate'
              ? on.stores.registrations.activate(number, [])
              : on.stores.registrations.fail(number, {
                  status: 'ARS_AUTH_FAILED',
                  resultCode: '002_014',
                  timeline: [],
                });
          await expect(ending).resolves.toMatchObject({ hasNotification: true });
        }
        sequences.push((await on.stores.resultNotifications.find(number))?.sequence);
      }
      expect(sequences).toEqual([1, 2, 3]);
    });

    it('leaves the newer account active when an older one is activated again', async () => {
      const member = await on.addMember();
      const [old, replacement] = [await on.addRegistration(member), await on.addRegistration(member)];
      await on.stores.registrations.activate(old, []);
      await on.stores.registrations.activate(replacement, []);
      await on.stores.registrations.activate(old, []);
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
            on.stores.registrations.activate(number, []),
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
