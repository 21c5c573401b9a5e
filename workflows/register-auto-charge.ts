import { ActivityFailure } from '@temporalio/workflow';
import type { MemberInput, OperationResult } from '../contract/registration.ts';
import { autoCharges } from './activity-proxies.ts';

/** Registers a member's account, registered already, for auto charge. Its ID is the member ID. */
export async function registerAutoCharge({ userId }: MemberInput): Promise<OperationResult> {
  try {
    const summary = 'Register the account for auto charge at the payment gateway';
    return await autoCharges.registerAutoCharge.executeWithOptions({ summary }, [{ userId }]);
  } catch (error) {
    if (error instanceof ActivityFailure) return { resultCode: '002_917' };
    throw error;
  }
}
