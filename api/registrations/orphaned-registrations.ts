import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { ApiParts } from '../context.ts';
import { describeMemberRun } from './member-runs.ts';

/** How long Temporal may take to answer, in ms. */
const answerDeadline = 5_000;
/**
 * How long Temporal tells of a run that has ended, in ms: no namespace has a retention shorter than a day. An older
 * registration whose run it does not know may have had one, and stays.
 */
const minRetention = 24 * 60 * 60 * 1_000;

/**
 * Takes back registrations whose run never began. A registration is written down before its run is started; when this
 * process dies in between, or Temporal is away, the row stands alone, and its number was never handed out.
 * @param writtenBefore must be so long ago that no start can still be under way
 */
export async function withdrawOrphanedRegistrations(
  { stores, temporal, log }: Pick<ApiParts, 'stores' | 'temporal' | 'log'>,
  writtenBefore: Date,
): Promise<void> {
  const writtenFrom = new Date(Date.now() - minRetention);
  const unended = await stores.registrations.listWithoutEnd(writtenFrom, writtenBefore);
  for (const { registrationNumber, userId } of unended) {
    if (await hasRun(temporal, userId, registrationNumber)) continue;
    await stores.registrations.remove(registrationNumber);
    log.warn({ registrationNumber }, 'a registration that never began was taken back');
  }
}

/**
 * A run that goes on is the member's latest, which Temporal tells for certain. One that is over has written down its
 * end, unless an operator terminated it: such a run is found in the listing.
 */
async function hasRun(temporal: Client, userId: string, registrationNumber: string): Promise<boolean> {
  try {
    const latest = await describeMemberRun(temporal, userId, answerDeadline);
    if (latest.registrationNumber === registrationNumber) return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
  const { count } = await temporal.withDeadline(Date.now() + answerDeadline, () =>
    temporal.workflow.count(`BankAccRegNo = "${registrationNumber}"`),
  );
  return count > 0;
}
