import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Stores } from '../database/stores.ts';
import type { OverdueRegistration } from '../database/registrations.ts';
import type { Log } from '../runtime/log.ts';
import { operatorCommand } from '../runtime/operator-command.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { FollowUp } from '../database/locked-registration.ts';
import { startFollowUp } from './follow-ups.ts';
import { isRunning, startRegistrationRun } from './registration-run.ts';

/** How many rows are taken at a time. */
const batch = 200;

/** How many runs are started at once: one after the other, the time that Temporal takes for each would limit the rate. */
const startsAtOnce = 10;

/** How long Temporal may take to answer before rows are taken, in ms. */
const answerTimeout = 4_000;

/** When the sweep runs, and how much it may start. */
export interface SweepSettings {
  /** The time between two sweeps, in ms. */
  readonly interval: number;
  /** How many runs one process starts in a second at most. */
  readonly startsPerSecond: number;
}

/** Every minute, and at most 50 starts a second, so that a Temporal that was set up empty is not overrun. */
export const defaultSweep: SweepSettings = { interval: 60_000, startsPerSecond: 50 };

/** What a sweep did about the rows of one kind that were due. */
export interface Swept {
  /** How many got a run. Of a notification or a removal it may have been there already. */
  readonly started: number;
  /** How many registrations had a run. */
  readonly running: number;
  /** How many registrations were withdrawn, because they never began. */
  readonly withdrawn: number;
  /** The numbers of the registrations whose start failed. They are due again later. */
  readonly failed: readonly string[];
}

type Outcome = 'started' | 'running' | 'withdrawn';

interface Parts {
  readonly stores: Stores;
  readonly temporal: Client;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Looks for open rows without a run, now and at every interval: registrations, notifications and removals. It runs in
 * each API process, without a leader; the rows are taken by one process each.
 * @returns a function that stops it
 */
export function startSweep(parts: Parts, settings: SweepSettings = defaultSweep): () => Promise<void> {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await sweep(parts, settings, stopping.signal).catch((error: unknown) => {
        if (!stopping.signal.aborted)
          parts.log.warn({ err: error }, 'the sweep could not finish; it goes on later');
      });
      await pause(settings.interval, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return async () => {
    stopping.abort();
    await running;
  };
}

/**
 * Sweeps once: until no row is due. A start that fails is logged and counted, and the rows after it go on. Throws when the
 * database or Temporal does not respond; no row is taken while Temporal does not.
 */
export async function sweep(
  parts: Parts,
  { startsPerSecond }: Pick<SweepSettings, 'startsPerSecond'> = defaultSweep,
  signal?: AbortSignal,
): Promise<Record<'registrations' | 'notifications' | 'removals', Swept>> {
  const { stores, temporal, log, metrics } = parts;
  const start = async (followUp: FollowUp): Promise<Outcome> => {
    await startFollowUp(temporal, followUp);
    return 'started';
  };
  // Side by side: a backlog of one kind does not keep another waiting, and neither does a failure.
  const [registrations, notifications, removals] = await Promise.allSettled([
    each(
      'REGISTRATION',
      (limit) => stores.registrations.takeOverdue(limit),
      (registration) => replaceRun(parts, registration),
    ),
    each(
      'NOTIFICATION',
      (limit) => stores.resultNotifications.takeOverdue(limit).then(all('NOTIFICATION')),
      start,
    ),
    each('REMOVAL', (limit) => stores.ledger.takeOverdueRemovals(limit).then(all('REMOVAL')), start),
  ]);
  const swept = {
    registrations: unlessRejected(registrations),
    notifications: unlessRejected(notifications),
    removals: unlessRejected(removals),
  };
  metrics.lastSweep.setToCurrentTime();
  return swept;

  async function each<Row extends { readonly registrationNumber: string }>(
    kind: FollowUp['kind'] | 'REGISTRATION',
    take: (limit: number) => Promise<readonly Row[]>,
    work: (row: Row) => Promise<Outcome>,
  ): Promise<Swept> {
    const counts = { started: 0, running: 0, withdrawn: 0 };
    const failed: string[] = [];
    const workOn = async (row: Row): Promise<void> => {
      try {
        const outcome = await work(row);
        counts[outcome]++;
        metrics.sweptRows.inc({ kind, outcome });
      } catch (error) {
        const { registrationNumber } = row;
        failed.push(registrationNumber);
        metrics.sweptRows.inc({ kind, outcome: 'failed' });
        log.warn({ err: error, kind, registrationNumber }, 'the sweep could not start a run');
      }
    };
    for (;;) {
      // A row that is taken is due again much later, so none is taken for nothing.
      await temporal.withDeadline(Date.now() + answerTimeout, () =>
        temporal.workflowService.getSystemInfo({}),
      );
      const rows = await take(batch);
      for (let next = 0; next < rows.length; next += startsAtOnce) {
        if (signal?.aborted) return { ...counts, failed };
        const group = rows.slice(next, next + startsAtOnce);
        const slot = pause((group.length * 1_000) / startsPerSecond, undefined, { signal }).catch(() => {});
        await Promise.all(group.map(workOn));
        await slot;
      }
      if (rows.length < batch) return { ...counts, failed };
    }
  }
}

function all<Kind extends FollowUp['kind']>(kind: Kind) {
  return (numbers: readonly string[]) => numbers.map((registrationNumber) => ({ kind, registrationNumber }));
}

function unlessRejected(swept: PromiseSettledResult<Swept>): Swept {
  if (swept.status === 'rejected') throw swept.reason;
  return swept.value;
}

/** A registration that never began is taken back; one that has begun gets a run, unless it has one. */
async function replaceRun(
  { stores, temporal, log, metrics }: Parts,
  { isBegun, timesOverdue, ...run }: OverdueRegistration,
): Promise<Outcome> {
  const { registrationNumber } = run;
  if (!isBegun && (await stores.registrations.withdraw(registrationNumber))) {
    log.warn({ registrationNumber }, 'withdrew a registration that never began');
    return 'withdrawn';
  }
  try {
    await startRegistrationRun(temporal, run);
    metrics.replacedRuns.inc();
    log.warn({ registrationNumber }, 'started a new run of a registration that had none');
    return 'started';
  } catch (error) {
    if (!isRunning(error)) throw error;
    if (timesOverdue > 1) reportStuck();
    return 'running';
  }

  /** Its run is there, but does not move it: perhaps its workflow task fails. */
  function reportStuck(): void {
    metrics.stuckRuns.inc();
    const remedy = operatorCommand(`resume --number ${registrationNumber}`);
    log.warn({ registrationNumber, timesOverdue, remedy }, 'a registration is overdue although it has a run');
  }
}
