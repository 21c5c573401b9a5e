import type { DatabaseFailover } from '../database/incarnations.ts';
import type { Stores } from '../database/stores.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';

/** The interval between two looks, in ms. Nothing is sent between a failover and the next look. */
const interval = 5_000;

interface Parts {
  readonly stores: { readonly incarnations: Pick<Stores['incarnations'], 'look'> };
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Looks, now and at every interval, whether the database is still the one that was last known, and says so where it is
 * not. After a failover that loses nothing, the first process that looks lets everything go on.
 * @returns a function that stops it
 */
export async function watchDatabase(
  { stores, log, metrics }: Parts,
  failover: DatabaseFailover,
): Promise<() => void> {
  let wasRestored = false;
  await look();
  const timer = setInterval(() => void look(), interval);
  timer.unref();
  return () => clearInterval(timer);

  async function look(): Promise<void> {
    // A database that does not answer shows elsewhere.
    const found = await stores.incarnations.look(failover).catch(() => undefined);
    if (found === undefined) return;
    const isRestored = found === 'RESTORED';
    metrics.databaseRestored.set(isRestored ? 1 : 0);
    if (isRestored && !wasRestored)
      log.error('the database was restored, copied or failed over: nothing is sent until: operator restored');
    if (found === 'FAILED_OVER') {
      metrics.databaseFailovers.inc();
      log.error('the database failed over and lost nothing, says DATABASE_FAILOVER: everything goes on');
    }
    wasRestored = isRestored;
  }
}
