import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Activities } from '../contract/activities.ts';
import { serviceActor } from '../database/audit-trail.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Destroys evidence whose retention period is over. */
export function evidenceRetentionActivities({
  stores,
}: Pick<ActivityDependencies, 'stores'>): Pick<Activities, 'purgeExpiredEvidence'> {
  return {
    async purgeExpiredEvidence() {
      let purged = 0;
      const now = new Date();
      for (;;) {
        const batch = await stores.act(
          serviceActor,
          (acting) => acting.retention.purgeBatch(now),
          (numbers) =>
            (numbers ?? []).map((registrationNumber) => ({ action: 'evidence purge', registrationNumber })),
        );
        if (!batch) break;
        purged += batch.length;
        heartbeat(purged);
        cancellationSignal().throwIfAborted();
      }
      return { purged };
    },
  };
}
