import { ApplicationFailure, CancellationScope, isCancellation, setHandler } from '@temporalio/workflow';
import type { FailedStatus } from '../wire/registration-status.ts';
import { cancelRegistrationUpdate } from '../contract/registration-messages.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import { flushAcceptedUpdate } from './flush-accepted-update.ts';
import type { Progress } from './progress.ts';
import { codes } from '../wire/result-codes.ts';

const cancelled: { readonly status: FailedStatus; readonly resultCode: ResultCode } = {
  status: 'BANK_ACC_REG_FAILED',
  resultCode: codes.CANCELLED,
};

/**
 * Accepts a cancellation, by a service provider's update or an operator's cancellation request, until the payment
 * gateway is asked to register.
 * @returns a function that runs the part that can be cancelled, and returns its outcome or the cancellation
 */
export function acceptCancellation(progress: Progress) {
  const scope = new CancellationScope();

  setHandler(cancelRegistrationUpdate, () => scope.cancel(), {
    description: 'Cancels the registration before the payment gateway is asked to register',
    validator: () => {
      if (!isEarly()) throw ApplicationFailure.nonRetryable('It is too late to cancel.', 'TooLateToCancel');
    },
  });

  function isEarly(): boolean {
    return ['ACCOUNT_HOLDER_CHECK', 'ARS_CALL', 'CONSENT_EVIDENCE'].includes(progress.step());
  }

  return async <Outcome>(part: () => Promise<Outcome>): Promise<Outcome | typeof cancelled> => {
    const outcome = await scope.run(part).catch((error: unknown) => {
      if (isCancellation(error)) return cancelled;
      throw error;
    });
    // The part may have ended in the task that received the cancellation, which then still counts.
    if (!scope.consideredCancelled) return outcome;
    progress.record('CANCEL_REQUESTED', 'CANCELLED');
    await flushAcceptedUpdate();
    return cancelled;
  };
}
