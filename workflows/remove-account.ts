import { ParentClosePolicy, setCurrentDetails, startChild } from '@temporalio/workflow';
import type { RegistrationReference } from '../contract/activities.ts';
import { removalWorkflowId } from '../contract/registration.ts';
import { removeAccountAtPaymentGateway } from './activity-proxies.ts';

/**
 * Removes a replaced or deleted account at the payment gateway, however long that takes. It is separate from the
 * member's operations, so that a payment gateway that cannot remove never blocks a member.
 */
export async function removeAccount({ registrationNumber }: RegistrationReference): Promise<void> {
  setCurrentDetails(
    '**Removing an unused account**\n\n- Waits for: the payment gateway; retried until it succeeds',
  );
  await removeAccountAtPaymentGateway({ registrationNumber });
}

/** Starts {@link removeAccount}, which outlives the run that started it. */
export async function startRemoval(registrationNumber: string): Promise<void> {
  await startChild(removeAccount, {
    workflowId: removalWorkflowId(registrationNumber),
    args: [{ registrationNumber }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: 'Remove an unused account at the payment gateway',
  });
}
