import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Activities } from '../contract/activities.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Destroys evidence whose retention period is over. */
export function evidenceRetentionActivities({
  stores,
}: Pick<ActivityDependencies, 'stores'>): Pick<Activities, 'purgeExpiredEvidence'> {
  return {
    async purgeExpiredEvidence() {
      let purged = 0;
      for await (const batch of stores.retention.purge(new Date())) {
        purged += batch;
        heartbeat(purged);
        cancellationSignal().throwIfAborted();
      }
      return { purged };
    },
  };
}
