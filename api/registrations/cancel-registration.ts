import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { memberWorkflowId } from '../../contract/registration.ts';
import type { RegistrationOutcome } from '../../contract/registration.ts';
import { cancelRegistrationUpdate } from '../../contract/registration-messages.ts';
import type { RegistrationRecord } from '../../database/registrations.ts';
import { sendUpdate } from '../../runtime/temporal.ts';
import { codes } from '../../wire/result-codes.ts';
import { Refusal } from '../http/refusal.ts';
import type { ApiParts } from '../parts.ts';
import { describeMemberRun } from './member-runs.ts';

/** How long Temporal may take to describe the run, and the run to cancel and end, in ms each. */
const timeout = 8_000;

/**
 * Cancels a registration and waits until it has ended. Idempotent. Refuses with `002_915` when the payment gateway has
 * been asked to register the account, or the registration has ended differently.
 */
export async function cancelRegistration(
  { stores, temporal }: Pick<ApiParts, 'stores' | 'temporal'>,
  record: RegistrationRecord,
): Promise<void> {
  if (!record.endedAt) {
    const run = await describeMemberRun(temporal, record.userId, timeout);
    const isRunning = run.registrationNumber === record.registrationNumber;
    if (isRunning && (await cancelRun(temporal, record.userId, run.runId))) return;
  }
  const ended = await stores.registrations.find(record.aspId, record.registrationNumber);
  if (ended?.resultCode !== codes.CANCELLED) throw new Refusal(codes.TOO_LATE_TO_CANCEL);
}

/** Cancels a run and waits for its end. @returns whether it ended as cancelled; false also when it had already closed */
async function cancelRun(temporal: Client, userId: string, runId: string): Promise<boolean> {
  const run = temporal.workflow.getHandle(memberWorkflowId(userId), runId);
  const deadline = Date.now() + timeout;
  try {
    const { resultCode } = await temporal.withDeadline(deadline, async () => {
      await sendUpdate(() => run.executeUpdate(cancelRegistrationUpdate), deadline);
      return (await run.result()) as RegistrationOutcome;
    });
    // The run may have been failing for another reason when the cancellation arrived.
    return resultCode === codes.CANCELLED;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
