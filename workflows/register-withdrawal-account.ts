import {
  ActivityFailure,
  CancellationScope,
  ParentClosePolicy,
  isCancellation,
  startChild,
} from '@temporalio/workflow';
import { removalWorkflowId } from '../contract/registration.ts';
import type { FailedStatus, RegistrationInput, RegistrationResult } from '../contract/registration.ts';
import type { ResultCode } from '../contract/result-codes.ts';
import { receiveCallbacks } from './callbacks.ts';
import { obtainConsent } from './obtain-consent.ts';
import { questions, records } from './policies.ts';
import { trackProgress } from './progress.ts';
import { registerExactlyOnce } from './register-exactly-once.ts';
import { removeReplacedAccount } from './remove-replaced-account.ts';

/**
 * Registers a member's withdrawal account: real-name check, ARS call, evidence of consent, registration at the
 * payment gateway, switch to the new account. Its ID is the member ID, so a member has one operation at a time.
 *
 * It ends by returning how the registration ended, failures of the business included. Until the payment gateway is
 * asked to register it can be cancelled; from then on a cancellation request has no effect, because what has been
 * asked for cannot be taken back.
 */
export async function registerWithdrawalAccount(input: RegistrationInput): Promise<RegistrationResult> {
  const { registrationNumber, policy } = input;
  const progress = trackProgress(input);
  const callbacks = receiveCallbacks(registrationNumber, progress);

  try {
    const holder = await questions.checkAccountHolder
      .executeWithOptions(
        {
          scheduleToCloseTimeout: policy.accountHolderCheck.giveUpAfter,
          summary: 'Ask the bank whether the account is the named person’s',
        },
        [{ registrationNumber }],
      )
      .catch(orWhenGivenUp({ matched: false, resultCode: '002_913' } as const));
    if (!holder.matched) return await fail('BANK_ACC_REG_FAILED', holder.resultCode);

    const consent = await obtainConsent(input, progress, callbacks);
    if (!consent) return await fail('ARS_AUTH_FAILED', '002_014');

    progress.moveTo('CONSENT_EVIDENCE', 'the recording of the call to be stored', 'ARS_AUTH_DONE');
    const secured = await questions.storeConsentEvidence
      .executeWithOptions(
        {
          scheduleToCloseTimeout: policy.consentEvidence.giveUpAfter,
          summary: 'Fetch, check and store the recording',
        },
        [{ registrationNumber, attempt: consent.attempt, callId: consent.callId }],
      )
      .then(() => true)
      .catch(orWhenGivenUp(false));
    if (!secured) return await fail('BANK_ACC_REG_FAILED', '002_910');
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return await CancellationScope.nonCancellable(() => fail('BANK_ACC_REG_FAILED', '002_914'));
  }

  return await CancellationScope.nonCancellable(async () => {
    const verdict = await registerExactlyOnce(input, progress, callbacks);
    if (verdict.state === 'REFUSED') return await fail('BANK_ACC_REG_FAILED', verdict.resultCode);

    const { replaced } = await records.activateAccount({ registrationNumber });
    if (replaced) {
      await startChild(removeReplacedAccount, {
        workflowId: removalWorkflowId(replaced),
        args: [{ registrationNumber: replaced }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: 'Remove a replaced account at the payment gateway',
      });
    }
    return progress.end('BANK_ACC_REGISTERED', '000_000');
  });

  async function fail(status: FailedStatus, resultCode: ResultCode): Promise<RegistrationResult> {
    await records.recordFailure({ registrationNumber, status, resultCode });
    return progress.end(status, resultCode);
  }
}

/** Turns an activity that was given up into `value`; a cancellation or a defect passes on. */
function orWhenGivenUp<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if (error instanceof ActivityFailure && !isCancellation(error)) return value;
    throw error;
  };
}
