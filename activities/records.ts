import type { Activities } from '../contract/activities.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { codes } from '../wire/result-codes.ts';

/** Records in the database how registrations ended and which accounts are in use. */
export function recordActivities({
  stores,
  metrics,
}: Pick<ActivityDependencies, 'stores' | 'metrics'>): Pick<
  Activities,
  'activateAccount' | 'recordFailure' | 'deactivateAccount'
> {
  return {
    async activateAccount({ registrationNumber, timeline }) {
      const activation = await stores.registrations.activate(registrationNumber, timeline);
      metrics.countEnd('BANK_ACC_REGISTERED', codes.SUCCESS, timeline);
      return activation;
    },
    async recordFailure({ registrationNumber, ...end }) {
      const failure = await stores.registrations.fail(registrationNumber, end);
      metrics.countEnd(end.status, end.resultCode, end.timeline);
      return failure;
    },
    async deactivateAccount({ userId, deletion }) {
      return { deactivated: await stores.accounts.deactivate(userId, deletion) };
    },
  };
}
