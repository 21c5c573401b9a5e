import { workflowInfo } from '@temporalio/workflow';
import type { MemberInput, OperationResult } from '../contract/registration.ts';
import { deactivateAccount } from './activity-proxies.ts';
import { startRemoval } from './remove-account.ts';
import { codes } from '../wire/result-codes.ts';

/**
 * Deletes a member's withdrawal account: it is deactivated at once, then another workflow removes it at the payment
 * gateway. The evidence of consent is kept. The workflow ID is the member ID, as for every operation on the account.
 */
export async function deleteWithdrawalAccount({ userId }: MemberInput): Promise<OperationResult> {
  const { deactivated } = await deactivateAccount({ userId, deletion: workflowInfo().runId });
  if (!deactivated) return { resultCode: codes.NO_REGISTERED_ACCOUNT };
  await startRemoval(deactivated);
  return { resultCode: codes.SUCCESS };
}
