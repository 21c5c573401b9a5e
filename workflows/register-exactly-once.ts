import { ActivityFailure, condition } from '@temporalio/workflow';
import type { Postponed, RegistrationAttempt, RegistrationInquiry } from '../contract/activities.ts';
import type { PaymentGatewayVerdict, RegistrationInput } from '../contract/registration.ts';
import type { Callbacks } from './callbacks.ts';
import { keepUpdate } from './keep-update.ts';
import { questions, registrations } from './activity-proxies.ts';
import type { Progress } from './progress.ts';
import { hasReopened, isPostponed, whenOpen } from './when-open.ts';

/** The answer got lost or never came: nobody here knows whether it happened. */
interface Unknown {
  readonly state: 'UNKNOWN';
}

/**
 * Registers at a payment gateway that need not be idempotent. An attempt without a clear answer has an unknown
 * outcome: the payment gateway is asked what became of it, at growing intervals, and only when it has gone on not
 * knowing the registration for the settle time is another attempt made. An attempt it has accepted is never repeated.
 * An outcome still unknown after `reviewAfter` waits for an operator; it is never taken for a failure.
 */
export async function registerExactlyOnce(
  input: RegistrationInput,
  progress: Progress,
  callbacks: Callbacks,
): Promise<PaymentGatewayVerdict> {
  const { firstInquiryAfter, maximumInquiryInterval, settleTime, reviewAfter, attemptTimeout } =
    input.policy.paymentGatewayRegistration;
  const { registrationNumber } = input;
  progress.moveTo('PAYMENT_GATEWAY_REGISTRATION', 'the payment gateway to answer');

  const reviewAt = Date.now() + reviewAfter;
  let attempts = 0;
  let inquiries = 0;
  let attempt = await whenOpen(input, progress, 'BANK', attemptRegistration);
  let attemptEndedAt = Date.now();
  let interval = firstInquiryAfter;

  for (;;) {
    if (attempt.state === 'STILL_CLOSED') return { state: 'REFUSED', resultCode: '002_918' };
    if (isVerdict(attempt)) return attempt;

    if (Date.now() >= reviewAt) return await review();
    progress.waitFor('the payment gateway’s callback or the next inquiry', Date.now() + interval);
    await condition(() => callbacks.verdict() !== undefined, interval, {
      summary: 'Callback of the registration, else inquiry',
    });
    const told = toldVerdict();
    if (told) return told;

    interval = Math.min(interval * 2, maximumInquiryInterval);
    const inquiry = await inquire();
    if (isVerdict(inquiry)) return inquiry;
    // It may have been told while it was asked: repeating now would register twice.
    const toldMeanwhile = toldVerdict();
    if (toldMeanwhile) return toldMeanwhile;
    const settled = Date.now() - attemptEndedAt >= settleTime;
    if (inquiry.state === 'NOT_FOUND' && attempt.state === 'UNKNOWN' && settled) {
      const repeat = await attemptRegistration();
      if (isPostponed(repeat)) {
        // Much may have come of the earlier attempt by then, so it is asked for anew before another one.
        await hasReopened(input, progress, 'BANK', repeat, reviewAt);
        interval = firstInquiryAfter;
      } else {
        attempt = repeat;
        attemptEndedAt = Date.now();
      }
    }
  }

  async function attemptRegistration(): Promise<RegistrationAttempt | Postponed | Unknown> {
    const answer = await registrations.registerAtPaymentGateway
      .executeWithOptions(
        { startToCloseTimeout: attemptTimeout, summary: 'Register the account at the payment gateway' },
        [{ registrationNumber }],
      )
      .catch(unknownOutcome);
    if (!isPostponed(answer)) progress.record('REGISTRATION_ATTEMPTED', outcomeOf(answer), ++attempts);
    return answer;
  }

  async function inquire(): Promise<RegistrationInquiry | Unknown> {
    const answer = await questions.inquireRegistration
      .executeWithOptions(
        {
          scheduleToCloseTimeout: maximumInquiryInterval,
          summary: 'Ask what became of the registration, before any repeat',
        },
        [{ registrationNumber }],
      )
      .catch(unknownOutcome);
    progress.record('REGISTRATION_INQUIRED', outcomeOf(answer), ++inquiries);
    return answer;
  }

  function toldVerdict(): PaymentGatewayVerdict | undefined {
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
    await keepUpdate();
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
