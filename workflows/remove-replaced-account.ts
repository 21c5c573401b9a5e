import { setCurrentDetails } from '@temporalio/workflow';
import type { RegistrationReference } from '../contract/activities.ts';
import { removals } from './policies.ts';

/**
 * Removes an account that a newer one has replaced at the payment gateway, however long that takes. It runs apart
 * from the registration, so that a payment gateway that cannot remove never keeps a member from the next operation.
 */
export async function removeReplacedAccount({ registrationNumber }: RegistrationReference): Promise<void> {
  setCurrentDetails(
    '**Removing a replaced account**\n\n- Waits for: the payment gateway to remove it, without end',
  );
  await removals.removeReplacedAccount.executeWithOptions(
    { summary: `Remove registration ${registrationNumber}` },
    [{ registrationNumber }],
  );
}
