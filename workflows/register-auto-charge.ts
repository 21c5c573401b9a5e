import { ActivityFailure } from '@temporalio/workflow';
import type { MemberInput, OperationResult } from '../contract/registration.ts';
import { registerAutoChargeAtPaymentGateway } from './activity-proxies.ts';
import { codes } from '../wire/result-codes.ts';

/** Registers a member's active account for auto charge. The workflow ID is the member ID. */
export async function registerAutoCharge(member: MemberInput): Promise<OperationResult> {
  try {
    return await registerAutoChargeAtPaymentGateway(member);
  } catch (error) {
    if (error instanceof ActivityFailure) return { resultCode: codes.AUTO_CHARGE_FAILED };
    throw error;
  }
}
