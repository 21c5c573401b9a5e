import { CancellationScope, allHandlersFinished, condition } from '@temporalio/workflow';
import type { RegistrationInput, RegistrationOutcome } from '../contract/registration.ts';
import type { FailedStatus } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import { acceptCancellation } from './cancellation.ts';
import { receiveCallbacks } from './callbacks.ts';
import { startDelivery } from './deliver-result-notification.ts';
import { obtainConsent } from './obtain-consent.ts';
import {
  activateAccount,
  checkAccountHolder,
  recordFailure,
  storeConsentEvidence,
} from './activity-proxies.ts';
import { trackProgress } from './progress.ts';
import { registerExactlyOnce } from './register-exactly-once.ts';
import { startRemoval } from './remove-account.ts';
import { sendWhenOpen } from './reopening.ts';
import { orWhenGivenUp } from './given-up.ts';
import { codes } from '../wire/result-codes.ts';

interface Failure {
  readonly status: FailedStatus;
  readonly resultCode: ResultCode;
}

/**
 * Registers a member's withdrawal account: real-name check, ARS call, evidence of consent, registration at the
 * payment gateway, switch to the new account. The workflow ID is the member ID, so a member has one operation at a
 * time.
 *
 * A refused or failed registration is a result, not a workflow failure. The registration can be cancelled until the
 * payment gateway is asked to register; that request cannot be taken back.
 */
export async function registerWithdrawalAccount(input: RegistrationInput): Promise<RegistrationOutcome> {
  const { registrationNumber } = input;
  const progress = trackProgress(input);
  const callbacks = receiveCallbacks(registrationNumber, progress);
  const cancellable = acceptCancellation(progress);

  const failure = await cancellable(() => prepare());
  const result = await CancellationScope.nonCancellable(() => (failure ? fail(failure) : register()));
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  return result;

  /** The steps that leave no trace at the payment gateway, so they can be cancelled. */
  async function prepare(): Promise<Failure | undefined> {
    const { accountHolderCheck, consentEvidence } = input.policy;
    const answer = await sendWhenOpen(input, progress, 'BANK', () =>
      checkAccountHolder(
        { registrationNumber },
        { scheduleToCloseTimeout: accountHolderCheck.giveUpAfter },
      ).catch(orWhenGivenUp({ matched: false, resultCode: codes.REAL_NAME_CHECK_UNAVAILABLE } as const)),
    );
    const holder =
      'matched' in answer ? answer : ({ matched: false, resultCode: codes.BANK_OR_GATEWAY_CLOSED } as const);
    progress.record('ACCOUNT_HOLDER_CHECKED', holder.matched ? 'MATCHED' : holder.resultCode);
    if (!holder.matched) return { status: 'BANK_ACC_REG_FAILED', resultCode: holder.resultCode };

    const consent = await obtainConsent(input, progress, callbacks);
    if (!consent) return { status: 'ARS_AUTH_FAILED', resultCode: codes.ARS_AUTH_FAILED };

    progress.moveTo('CONSENT_EVIDENCE', 'the recording of the call to be stored', 'ARS_AUTH_DONE');
    const secured = await storeConsentEvidence(
      { registrationNumber, attempt: consent.attempt, callId: consent.callId },
      { scheduleToCloseTimeout: consentEvidence.giveUpAfter },
    )
      .then(() => true)
      .catch(orWhenGivenUp(false));
    progress.record('CONSENT_EVIDENCE_STORED', secured ? 'STORED' : 'NOT_STORED');
    return secured ? undefined : { status: 'BANK_ACC_REG_FAILED', resultCode: codes.EVIDENCE_NOT_SECURED };
  }

  async function register(): Promise<RegistrationOutcome> {
    const verdict = await registerExactlyOnce(input, progress, callbacks);
    if (verdict.state === 'REFUSED') {
      return await fail({ status: 'BANK_ACC_REG_FAILED', resultCode: verdict.resultCode });
    }
    progress.record('ENDED', codes.SUCCESS);
    const timeline = progress.timeline();
    const { replaced, hasNotification } = await activateAccount({ registrationNumber, timeline });
    if (replaced) await startRemoval(replaced);
    if (hasNotification) await startDelivery({ registrationNumber, policy: input.policy.resultNotification });
    return progress.end('BANK_ACC_REGISTERED', codes.SUCCESS);
  }

  async function fail({ status, resultCode }: Failure): Promise<RegistrationOutcome> {
    progress.record('ENDED', resultCode);
    const timeline = progress.timeline();
    const { hasNotification } = await recordFailure({
      registrationNumber,
      status,
      resultCode,
      timeline,
    });
    if (hasNotification) await startDelivery({ registrationNumber, policy: input.policy.resultNotification });
    return progress.end(status, resultCode);
  }
}
