import type { Activities } from '../contract/activities.ts';
import type { Ports } from './ports.ts';

/** How a registration ended, written to the database. */
export function recordActivities({
  stores,
}: Pick<Ports, 'stores'>): Pick<Activities, 'activateAccount' | 'recordFailure'> {
  return {
    async activateAccount({ registrationNumber }) {
      return { replaced: await stores.registrations.activate(registrationNumber) };
    },
    async recordFailure({ registrationNumber, status, resultCode }) {
      await stores.registrations.fail(registrationNumber, status, resultCode);
    },
  };
}
