import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import type { WorkflowInterceptors } from '@temporalio/workflow';
import { workflowTypes } from '../contract/registration.ts';
import { isUnreadable, requireReadable, unreadableFailure } from '../contract/unreadable-payload.ts';

/**
 * Keeps a payload that cannot be read from being taken for a value, in every workflow. The bundle includes it.
 *
 * - A run with such an input fails: whoever may start runs cannot block a member with one.
 * - A signal decides nothing, so its argument is let through. No workflow takes updates.
 * - Such a result of an activity is a failure: whoever may write to Temporal can complete an activity, and must not block a
 *   run with that. What the activity did is in the database.
 * - The result of a local activity comes from a worker of ours, so its key is missing: the workflow task fails and is
 *   repeated until the key is back.
 */
export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [
      {
        async execute(input, next) {
          refuse('The argument', ...input.args);
          requireInput(input.args);
          return await next(input);
        },
      },
    ],
    outbound: [
      {
        async scheduleActivity(input, next) {
          const result = await next(input);
          refuse('The result', result);
          return result;
        },
        scheduleLocalActivity: async (input, next) => requireReadable(await next(input)),
      },
    ],
  };
}

function refuse(subject: string, ...values: readonly unknown[]): void {
  const unreadable = values.find(isUnreadable);
  if (!unreadable) return;
  throw ApplicationFailure.nonRetryable(
    `${subject} cannot be read: ${unreadable.unreadablePayload}`,
    unreadableFailure,
  );
}

/** What schedules start. */
const needNoInput: readonly string[] = [workflowTypes.purgeEvidence, workflowTypes.reconcile];

/** Without its input, a workflow task would fail forever, and the run would block the member. */
function requireInput([input]: readonly unknown[]): void {
  if (needNoInput.includes(workflowInfo().workflowType) || (typeof input === 'object' && input !== null))
    return;
  throw ApplicationFailure.nonRetryable('The workflow was started without its input.', 'MissingInput');
}
