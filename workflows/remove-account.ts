import { ParentClosePolicy, setCurrentDetails, startChild } from '@temporalio/workflow';
import type { RegistrationReference } from '../contract/activities.ts';
import { removalWorkflowId } from '../contract/registration.ts';
import { removeAccountAtPaymentGateway } from './activity-proxies.ts';

/**
 * Removes an account that is out of use, replaced or deleted, at the payment gateway, however long that takes. It
 * runs apart from the member's operations, so that a payment gateway that cannot remove keeps no member waiting.
 */
export async function removeAccount({ registrationNumber }: RegistrationReference): Promise<void> {
  setCurrentDetails(
    '**Removing an account that is out of use**\n\n- Waits for: the payment gateway, without end',
  );
  await removeAccountAtPaymentGateway({ registrationNumber });
}

/** Starts {@link removeAccount}, which goes on when the run that started it has ended. */
export async function startRemoval(registrationNumber: string): Promise<void> {
  await startChild(removeAccount, {
    workflowId: removalWorkflowId(registrationNumber),
    args: [{ registrationNumber }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: 'Remove an account that is out of use at the payment gateway',
  });
}
