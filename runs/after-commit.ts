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

/** Counts and logs what the transaction did, if it ended a registration or met a contradiction, and starts what follows. */
export async function afterCommit(
  { temporal, metrics, log }: CommitParts,
  { registration, ended, followUps, contradiction }: Committed,
): Promise<void> {
  if (ended && registration?.resultCode)
    metrics.countEnd(registration.status, registration.resultCode, registration.timeline);
  if (contradiction) {
    metrics.contradictions.inc({ kind: contradiction.kind });
    const { registrationNumber } = registration ?? {};
    log.warn(
      { registrationNumber, ...contradiction },
      'what was decided is contradicted; the decision stands',
    );
  }
  await startFollowUps(temporal, log, followUps);
}
