import type { Client } from '@temporalio/client';
import type { Committed } from '../database/locked-registration.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { startFollowUps } from './follow-ups.ts';

/** What is needed once a transaction on a registration is committed. */
export interface CommitParts {
  readonly temporal: Client;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Counts the end of a registration, if the transaction ended it, and starts what follows from it. */
export async function afterCommit(
  { temporal, metrics, log }: CommitParts,
  { registration, ended, followUps }: Committed,
): Promise<void> {
  if (ended && registration?.resultCode)
    metrics.countEnd(registration.status, registration.resultCode, registration.timeline);
  await startFollowUps(temporal, log, followUps);
}
