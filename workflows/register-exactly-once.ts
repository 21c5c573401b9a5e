import { ActivityFailure, condition } from '@temporalio/workflow';
import type { Postponement, RegistrationAttempt, RegistrationInquiry } from '../contract/activities.ts';
import type { PaymentGatewayVerdict, RegistrationInput } from '../contract/registration.ts';
import type { Callbacks } from './callbacks.ts';
import { inquireRegistration, registerAtPaymentGateway } from './activity-proxies.ts';
import { flushAcceptedUpdate } from './flush-accepted-update.ts';
import type { Progress } from './progress.ts';
import { isPostponed, sendWhenOpen, waitForReopening } from './reopening.ts';
import { codes } from '../wire/result-codes.ts';

/** The request or its answer got lost: the payment gateway may have acted on it, or not. */
interface Unknown {
  readonly state: 'UNKNOWN';
}

/**
 * Registers at a payment gateway that need not be idempotent. An attempt without a clear answer has an unknown
 * outcome, so the payment gateway is asked about it at growing intervals. Another attempt is made only if the payment
 * gateway still answers NOT_FOUND after the settle time. An accepted attempt is never repeated. An outcome that is
 * still unknown after `reviewAfter` waits for an operator; it is never taken for a failure.
 */
export async function registerExactlyOnce(
  input: RegistrationInput,
  progress: Progress,
  callbacks: Callbacks,
): Promise<PaymentGatewayVerdict> {
  const { firstInquiryAfter, maxInquiryInterval, settleTime, reviewAfter, attemptTimeout } =
    input.policy.paymentGatewayRegistration;
  const { registrationNumber } = input;
  progress.moveTo('PAYMENT_GATEWAY_REGISTRATION', 'the payment gateway to answer');

  const reviewAt = Date.now() + reviewAfter;
  let attempts = 0;
  let inquiries = 0;
  let attempt = await sendWhenOpen(input, progress, 'BANK', attemptRegistration);
  let attemptEndedAt = Date.now();
  let interval = firstInquiryAfter;

  for (;;) {
    if (attempt.state === 'STILL_CLOSED')
      return { state: 'REFUSED', resultCode: codes.BANK_OR_GATEWAY_CLOSED };
    if (isVerdict(attempt)) return attempt;

    if (Date.now() >= reviewAt) return await review();
    progress.waitFor('the payment gateway’s callback or the next inquiry', Date.now() + interval);
    await condition(() => callbacks.verdict() !== undefined, interval, {
      summary: 'Wait for the callback of the registration before the next inquiry',
    });
    const verdict = receivedVerdict();
    if (verdict) return verdict;

    interval = Math.min(interval * 2, maxInquiryInterval);
    const inquiry = await inquire();
    if (isVerdict(inquiry)) return inquiry;
    // The verdict may arrive during the inquiry: repeating now would register twice.
    const verdictMeanwhile = receivedVerdict();
    if (verdictMeanwhile) return verdictMeanwhile;
    const settled = Date.now() - attemptEndedAt >= settleTime;
    if (inquiry.state === 'NOT_FOUND' && attempt.state === 'UNKNOWN' && settled) {
      const repeat = await attemptRegistration();
      if (isPostponed(repeat)) {
        // The earlier attempt may have completed meanwhile, so the next repeat asks again first.
        await waitForReopening(input, progress, 'BANK', repeat, reviewAt);
        interval = firstInquiryAfter;
      } else {
        attempt = repeat;
        attemptEndedAt = Date.now();
      }
    }
  }

  async function attemptRegistration(): Promise<RegistrationAttempt | Postponement | Unknown> {
    const answer = await registerAtPaymentGateway(
      { registrationNumber },
      { startToCloseTimeout: attemptTimeout },
    ).catch(unknownOutcome);
    if (!isPostponed(answer)) progress.record('REGISTRATION_ATTEMPTED', outcomeOf(answer), ++attempts);
    return answer;
  }

  async function inquire(): Promise<RegistrationInquiry | Unknown> {
    const answer = await inquireRegistration(
      { registrationNumber },
      { scheduleToCloseTimeout: maxInquiryInterval },
    ).catch(unknownOutcome);
    progress.record('REGISTRATION_INQUIRED', outcomeOf(answer), ++inquiries);
    return answer;
  }

  function receivedVerdict(): PaymentGatewayVerdict | undefined {
    const verdict = callbacks.verdict();
    if (verdict) progress.record('REGISTRATION_TOLD', outcomeOf(verdict));
    return verdict;
  }

  async function review(): Promise<PaymentGatewayVerdict> {
    progress.moveTo(
      'REVIEW',
      'an operator: send the update `resolveReview`, or the payment gateway’s callback',
    );
    progress.record('REVIEW_BEGUN', 'UNKNOWN');
    await condition(() => callbacks.verdict() !== undefined);
    await flushAcceptedUpdate();
    return callbacks.verdict()!;
  }
}

function outcomeOf(answer: RegistrationAttempt | RegistrationInquiry | Unknown): string {
  return answer.state === 'REFUSED' ? answer.resultCode : answer.state;
}

function isVerdict(answer: { readonly state: string }): answer is PaymentGatewayVerdict {
  return answer.state === 'REGISTERED' || answer.state === 'REFUSED';
}

function unknownOutcome(error: unknown): Unknown {
  if (error instanceof ActivityFailure) return { state: 'UNKNOWN' };
  throw error;
}
