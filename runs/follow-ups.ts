import type { Client } from '@temporalio/client';
import {
  notificationWorkflowId,
  removalWorkflowId,
  taskQueue,
  workflowTypes,
} from '../contract/registration.ts';
import type { RegistrationReference, RunOrder } from '../contract/registration.ts';
import { searchAttributes } from '../contract/search-attributes.ts';
import type { FollowUp } from '../database/locked-registration.ts';
import type { Log } from '../runtime/log.ts';

/** How long Temporal may take to accept a start, in ms. The sweep starts what it did not accept. */
const startTimeout = 2_000;

const workflows = {
  NOTIFICATION: {
    type: workflowTypes.deliverNotification,
    id: notificationWorkflowId,
    summary: 'Notify the service provider of a result',
  },
  REMOVAL: {
    type: workflowTypes.removeAccount,
    id: removalWorkflowId,
    summary: 'Remove an account that is out of use at the payment gateway',
  },
} as const;

/**
 * Starts what follows from a transaction on a registration, once it is committed. A start that fails is only logged:
 * the sweep repeats it from the rows.
 */
export async function startFollowUps(
  temporal: Client,
  log: Log,
  followUps: readonly FollowUp[],
): Promise<void> {
  await Promise.all(
    followUps.map((followUp) =>
      startFollowUp(temporal, followUp).catch((error: unknown) =>
        log.warn({ err: error, ...followUp }, 'could not start a follow-up; the sweep will'),
      ),
    ),
  );
}

/**
 * Starts the workflow of a follow-up. Throws when Temporal does not respond.
 * @param ifRunning what happens to a run that is there already. TERMINATE_EXISTING: the new one takes its place, for
 * example because the old one waits for a later delivery
 */
export async function startFollowUp(
  temporal: Client,
  { kind, registrationNumber }: FollowUp,
  ifRunning: 'USE_EXISTING' | 'TERMINATE_EXISTING' = 'USE_EXISTING',
): Promise<void> {
  const { type, id, summary } = workflows[kind];
  const input: RegistrationReference = { registrationNumber };
  const order: RunOrder = { kind, registrationNumber };
  await temporal.withDeadline(Date.now() + startTimeout, () =>
    temporal.workflow.start(type, {
      workflowId: id(registrationNumber),
      workflowIdConflictPolicy: ifRunning,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      taskQueue,
      args: [input],
      memo: { order },
      staticSummary: summary,
      typedSearchAttributes: [{ key: searchAttributes.registrationNumber, value: registrationNumber }],
    }),
  );
}
