import { setCurrentDetails } from '@temporalio/workflow';
import type { RegistrationReference } from '../contract/registration.ts';
import { removeAccountAtPaymentGateway } from './activity-proxies.ts';

/**
 * Removes a replaced or deleted account at the payment gateway, however long that takes. It is separate from the
 * member's operations, so that a payment gateway that cannot remove never blocks a member.
 */
export async function removeAccount({ registrationNumber }: RegistrationReference): Promise<void> {
  setCurrentDetails(
    `**Removing the account of registration \`${registrationNumber}\`**, which is out of use\n\n- Waits for: the payment gateway; retried until it succeeds`,
  );
  await removeAccountAtPaymentGateway({ registrationNumber });
}
