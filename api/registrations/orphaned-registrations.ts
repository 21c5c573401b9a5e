import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { ApiParts } from '../parts.ts';
import { describeMemberRun } from './member-runs.ts';

/** How long Temporal may take to respond, in ms. */
const timeout = 5_000;
/**
 * How long Temporal knows a run after its end, in ms: no namespace has a shorter retention than a day. An older
 * registration without a run may have had one, so it stays.
 */
const minRetention = 24 * 60 * 60 * 1_000;

/**
 * Removes orphaned registrations: rows whose run was never started. The API persists a registration before it starts the
 * run. If it crashes in between, or Temporal is unavailable, the row stays without a run. No client has got its number.
 * Throws when Temporal does not respond.
 * @param createdBefore so long ago that no start can still be in progress
 */
export async function removeOrphanedRegistrations(
  { stores, temporal, log }: Pick<ApiParts, 'stores' | 'temporal' | 'log'>,
  createdBefore: Date,
): Promise<void> {
  const createdAfter = new Date(Date.now() - minRetention);
  const unfinished = await stores.registrations.listWithoutEnd(createdAfter, createdBefore);
  for (const { registrationNumber, userId } of unfinished) {
    if (await hasRun(temporal, userId, registrationNumber)) continue;
    await stores.registrations.remove(registrationNumber);
    log.warn({ registrationNumber }, 'removed an orphaned registration');
  }
}

/**
 * A running registration is the member's latest run, which Temporal describes reliably. An ended run has persisted its
 * end, unless an operator terminated it. The visibility store has the terminated ones.
 */
async function hasRun(temporal: Client, userId: string, registrationNumber: string): Promise<boolean> {
  try {
    const latest = await describeMemberRun(temporal, userId, timeout);
    if (latest.registrationNumber === registrationNumber) return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
  const { count } = await temporal.withDeadline(Date.now() + timeout, () =>
    temporal.workflow.count(`BankAccRegNo = "${registrationNumber}"`),
  );
  return count > 0;
}
