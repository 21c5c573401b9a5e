import type { Activities } from '../contract/activities.ts';
import type { Ports } from './ports.ts';

/** What became of registrations and accounts, written to the database. */
export function recordActivities({
  stores,
}: Pick<Ports, 'stores'>): Pick<Activities, 'activateAccount' | 'recordFailure' | 'deactivateAccount'> {
  return {
    async activateAccount({ registrationNumber, timeline }) {
      return await stores.registrations.activate(registrationNumber, timeline);
    },
    async recordFailure({ registrationNumber, ...end }) {
      return await stores.registrations.fail(registrationNumber, end);
    },
    async deactivateAccount({ userId, deletion }) {
      return { deactivated: await stores.accounts.deactivate(userId, deletion) };
    },
  };
}
