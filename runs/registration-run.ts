import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { memberWorkflowId, taskQueue, workflowTypes } from '../contract/registration.ts';
import type { RegistrationReference, RegistrationStep, RunOrder } from '../contract/registration.ts';
import { wakeSignal } from '../contract/registration-messages.ts';
import { searchAttributes } from '../contract/search-attributes.ts';
import { bankNameOf } from '../wire/bank-codes.ts';
import type { RegistrationStatus } from '../wire/registration-status.ts';

/** How long Temporal may take to accept a start or a signal, in ms. */
const timeout = 4_000;

/** What a run of a registration starts with. Nothing of it is personal. */
export interface RunInput extends RegistrationReference {
  readonly userId: string;
  readonly aspId: string;
  readonly bankCode: string;
  readonly correlationId: string | null;
  readonly status: RegistrationStatus;
  readonly step: RegistrationStep;
}

/**
 * Starts the run of a registration under the member's ID, so that Temporal refuses a second one. The start itself is
 * the test whether one is running: a description is outdated a moment later.
 * @throws {WorkflowExecutionAlreadyStartedError} when an operation of the member is running
 * @returns the ID of the run
 */
export async function startRegistrationRun(temporal: Client, run: RunInput): Promise<string> {
  const { registrationNumber, userId, aspId, bankCode, correlationId, status, step } = run;
  const input: RegistrationReference = { registrationNumber };
  const order: RunOrder = {
    kind: 'REGISTRATION',
    registrationNumber,
    userId,
    aspId,
    bankCode,
    ...(correlationId !== null && { correlationId }),
  };
  const started = await temporal.withDeadline(Date.now() + timeout, () =>
    temporal.workflow.start(workflowTypes.register, {
      workflowId: memberWorkflowId(userId),
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      taskQueue,
      args: [input],
      memo: { order },
      staticSummary: `Register an account at ${bankNameOf(bankCode)}`,
      typedSearchAttributes: [
        { key: searchAttributes.aspId, value: aspId },
        { key: searchAttributes.registrationNumber, value: registrationNumber },
        { key: searchAttributes.status, value: status },
        { key: searchAttributes.step, value: step },
        { key: searchAttributes.bankCode, value: bankCode },
      ],
    }),
  );
  return started.firstExecutionRunId;
}

/**
 * Wakes the member's run, so that it looks at its row. Without a run there is nothing to wake: the sweep starts one if
 * the registration is open. Throws when Temporal does not respond.
 */
export async function wakeRun(temporal: Client, userId: string): Promise<void> {
  const run = temporal.workflow.getHandle(memberWorkflowId(userId));
  try {
    await temporal.withDeadline(Date.now() + timeout, () => run.signal(wakeSignal));
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** Whether a start was refused because a run of the member is open. */
export function isRunning(error: unknown): boolean {
  return error instanceof WorkflowExecutionAlreadyStartedError;
}
