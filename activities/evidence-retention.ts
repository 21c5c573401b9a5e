import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Activities } from '../contract/activities.ts';
import type { Ports } from './ports.ts';

/** The end of the evidence's retention. */
export function evidenceRetentionActivities({
  stores,
}: Pick<Ports, 'stores'>): Pick<Activities, 'purgeExpiredEvidence'> {
  return {
    async purgeExpiredEvidence() {
      const now = new Date();
      let purged = 0;
      for (let batch = -1; batch !== 0; purged += batch) {
        cancellationSignal().throwIfAborted();
        batch = await stores.retention.purgeBatch(now);
        heartbeat(purged);
      }
      return { purged };
    },
  };
}
