import { formatHead } from '../database/audit-trail.ts';
import type { AuditTrailHead } from '../database/audit-trail.ts';
import type { DatabaseFailover } from '../database/incarnations.ts';
import type { Stores } from '../database/stores.ts';
import { ConfigurationError } from '../runtime/config.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { DatabaseWitness } from './database-witness.ts';

/** The interval between two looks, in ms. Nothing is sent between a failover and the next look. */
const interval = 5_000;

/** How often the witness is told how far the database has come, in ms. */
const witnessInterval = 60_000;

interface Parts {
  readonly stores: {
    readonly incarnations: Pick<Stores['incarnations'], 'look' | 'mark' | 'remember'>;
    readonly auditTrail: Pick<Stores['auditTrail'], 'head' | 'continues'>;
  };
  readonly witness: DatabaseWitness;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Looks, now and at every interval, whether the database is still the one that was last known, and says so where it is
 * not. After a failover that loses nothing, the first process that looks lets everything go on. The witness is asked before
 * the first look; while it does not answer, this process knows only what it has seen itself.
 * @throws {ConfigurationError} when the witness's word is encrypted with a key that this process lacks
 * @returns a function that stops it
 */
export async function watchDatabase(
  { stores: { incarnations, auditTrail }, witness, log, metrics }: Parts,
  failover: DatabaseFailover,
): Promise<() => void> {
  let wasRestored = false;
  let isWitnessHeard = false;
  let toldAt = 0;
  let knownHead: AuditTrailHead | undefined;
  await hear().catch(unlessMisconfigured);
  await look();
  const timer = setInterval(() => void lookAgain(), interval);
  timer.unref();
  return () => clearInterval(timer);

  async function lookAgain(): Promise<void> {
    if (!isWitnessHeard) await hear().catch(() => undefined);
    await look();
  }

  async function look(): Promise<void> {
    // A database that does not answer shows elsewhere.
    const found = await incarnations.look(failover).catch(() => undefined);
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
    if (Date.now() - toldAt < witnessInterval) return;
    await publishHead().catch(() => undefined);
    if (isWitnessHeard) await tell().catch(() => undefined);
  }

  function unlessMisconfigured(error: unknown): void {
    if (error instanceof ConfigurationError) throw error;
  }

  async function hear(): Promise<void> {
    const mark = await witness.read();
    if (mark) incarnations.remember(mark);
    knownHead ??= mark?.auditTrailHead;
    isWitnessHeard = true;
  }

  async function tell(): Promise<void> {
    const mark = await incarnations.mark();
    if (!mark) return;
    await witness.write({ ...mark, auditTrailHead: knownHead });
    toldAt = Date.now();
  }

  /** Publishes the end of the audit trail, and raises the alarm when the trail has lost the one that was known. */
  async function publishHead(): Promise<void> {
    const head = await auditTrail.head();
    const isBroken = knownHead !== undefined && !(await auditTrail.continues(knownHead));
    metrics.auditTrailBroken.set(isBroken ? 1 : 0);
    if (isBroken) {
      log.error(
        { head: formatHead(knownHead!) },
        'the audit trail has lost an entry: operator trail --verify',
      );
      return;
    }
    if (!head || head.hash === knownHead?.hash) return;
    knownHead = head;
    metrics.auditTrailEntries.set(head.sequence);
    metrics.auditTrailHead.set(Number.parseInt(head.hash.slice(0, 12), 16));
    log.info({ head: formatHead(head) }, 'the audit trail has a new head');
  }
}
