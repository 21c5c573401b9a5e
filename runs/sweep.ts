import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Stores } from '../database/stores.ts';
import type { OverdueRegistration } from '../database/registrations.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { startFollowUp } from './follow-ups.ts';
import { isRunning, startRegistrationRun } from './registration-run.ts';

/** How many rows are taken at a time. */
const batch = 200;

/** When the sweep runs, and how much it may start. */
export interface SweepSettings {
  /** The time between two sweeps, in ms. */
  readonly interval: number;
  /** How many runs one process starts in a second at most. */
  readonly startsPerSecond: number;
}

/** Every minute, and at most 50 starts a second, so that a Temporal that was set up empty is not overrun. */
export const defaultSweep: SweepSettings = { interval: 60_000, startsPerSecond: 50 };

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

/** Sweeps once: until no row is due. Throws when the database or Temporal does not respond. */
export async function sweep(
  parts: Parts,
  { startsPerSecond }: Pick<SweepSettings, 'startsPerSecond'> = defaultSweep,
  signal?: AbortSignal,
): Promise<void> {
  const { stores, temporal } = parts;
  // Side by side: a backlog of one kind does not keep another waiting, and neither does a failure.
  const swept = await Promise.allSettled([
    each(
      (limit) => stores.registrations.takeOverdue(limit),
      (registration) => replaceRun(parts, registration),
    ),
    each(
      (limit) => stores.resultNotifications.takeOverdue(limit),
      (registrationNumber) => startFollowUp(temporal, { kind: 'NOTIFICATION', registrationNumber }),
    ),
    each(
      (limit) => stores.ledger.takeOverdueRemovals(limit),
      (registrationNumber) => startFollowUp(temporal, { kind: 'REMOVAL', registrationNumber }),
    ),
  ]);
  for (const kind of swept) if (kind.status === 'rejected') throw kind.reason;

  async function each<Row>(
    take: (limit: number) => Promise<readonly Row[]>,
    work: (row: Row) => Promise<void>,
  ): Promise<void> {
    for (;;) {
      const rows = await take(batch);
      for (const row of rows) {
        if (signal?.aborted) return;
        const slot = pause(1_000 / startsPerSecond);
        await work(row);
        await slot;
      }
      if (rows.length < batch) return;
    }
  }
}

/** A registration that never began is taken back; one that has begun gets a run, unless it has one. */
async function replaceRun(
  { stores, temporal, log, metrics }: Parts,
  { isBegun, ...run }: OverdueRegistration,
): Promise<void> {
  const { registrationNumber } = run;
  if (!isBegun && (await stores.registrations.withdraw(registrationNumber))) {
    log.warn({ registrationNumber }, 'withdrew a registration that never began');
    return;
  }
  try {
    await startRegistrationRun(temporal, run);
    metrics.replacedRuns.inc();
    log.warn({ registrationNumber }, 'started a new run of a registration that had none');
  } catch (error) {
    if (!isRunning(error)) throw error;
  }
}
