import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import type { WorkflowInterceptors } from '@temporalio/workflow';
import { workflowTypes } from '../contract/registration.ts';
import { isUnreadable, requireReadable } from '../contract/unreadable-payload.ts';

/**
 * Keeps a payload that cannot be read from being taken for a value, in every workflow. The bundle includes it.
 *
 * - A run with such an input fails: whoever may start runs cannot block a member with one.
 * - A signal decides nothing, so its argument is let through. No workflow takes updates.
 * - For such a result of an activity, the workflow task fails and is repeated until the key is back: nothing is lost.
 */
export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [
      {
        async execute(input, next) {
          refuse(input.args);
          requireInput(input.args);
          return await next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: async (input, next) => requireReadable(await next(input)),
        scheduleLocalActivity: async (input, next) => requireReadable(await next(input)),
      },
    ],
  };
}

function refuse(args: readonly unknown[]): void {
  const unreadable = args.find(isUnreadable);
  if (!unreadable) return;
  throw ApplicationFailure.nonRetryable(
    `The argument cannot be read: ${unreadable.unreadablePayload}`,
    'UnreadablePayload',
  );
}

/** Without its input, a workflow task would fail forever, and the run would block the member. */
function requireInput([input]: readonly unknown[]): void {
  const needsNone = workflowInfo().workflowType === workflowTypes.purgeEvidence;
  if (needsNone || (typeof input === 'object' && input !== null)) return;
  throw ApplicationFailure.nonRetryable('The workflow was started without its input.', 'MissingInput');
}
