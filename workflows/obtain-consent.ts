import { condition, sleep } from '@temporalio/workflow';
import { outsideCallingHours } from '../contract/calling-hours.ts';
import type { RegistrationInput } from '../contract/registration.ts';
import type { ArsOutcome } from '../wire/registration-status.ts';
import type { ArsCallLimit } from '../contract/registration-policy.ts';
import type { Callbacks } from './callbacks.ts';
import { inquireArsCall, placeArsCall } from './activity-proxies.ts';
import { orWhenGivenUp } from './given-up.ts';
import type { Progress } from './progress.ts';
import { sendWhenOpen } from './reopening.ts';

/** The call in which the member consented. */
export interface Consent {
  readonly attempt: number;
  readonly callId: string;
}

type CallResult =
  | { readonly outcome: ArsOutcome; readonly callId: string }
  | { readonly outcome: 'NOT_PLACED' | 'NO_OUTCOME' | `${ArsCallLimit}_LIMIT` };

/**
 * Calls the member, and again if the policy allows it, until the member enters the code.
 * @returns undefined when the member never does
 */
export async function obtainConsent(
  input: RegistrationInput,
  progress: Progress,
  callbacks: Callbacks,
): Promise<Consent | undefined> {
  const { maxCalls, callAgainAfter, callAgainWait } = input.policy.arsCall;
  progress.moveTo('ARS_CALL', 'the payment gateway to place the call');

  for (let attempt = 1; attempt <= maxCalls; attempt++) {
    const result = await callMember(attempt, input, progress, callbacks);
    progress.record('ARS_CALL_ENDED', result.outcome, attempt);
    if (!('callId' in result)) return undefined;
    if (result.outcome === 'PASSED') return { attempt, callId: result.callId };
    if (!callAgainAfter.includes(result.outcome)) return undefined;
    const wait = callAgainWait[result.outcome];
    if (wait && attempt < maxCalls) {
      progress.waitFor('the next call', Date.now() + wait);
      await sleep(wait, { summary: `Wait before ARS call ${attempt + 1}` });
    }
  }
  return undefined;
}

async function callMember(
  attempt: number,
  input: RegistrationInput,
  progress: Progress,
  callbacks: Callbacks,
): Promise<CallResult> {
  const {
    registrationNumber,
    policy: { arsCall },
  } = input;
  const placement = await sendWhenOpen(
    input,
    progress,
    'PAYMENT_GATEWAY',
    async (isRepeat) => outsideCallingHours(arsCall.callingHours, Date.now()) ?? (await place(isRepeat)),
  );
  if (placement.state === 'LIMIT_REACHED') return { outcome: `${placement.limit}_LIMIT` };
  if (placement.state !== 'PLACED') {
    return received() ?? { outcome: 'NOT_PLACED' };
  }

  progress.record('ARS_CALL_PLACED', 'PLACED', attempt);
  const placedAt = Date.now();
  let interval = arsCall.firstInquiryAfter;
  progress.waitFor('the member to enter the code', placedAt + arsCall.callLimit);
  for (;;) {
    await condition(() => received() !== undefined, interval, {
      summary: `Wait for the callback of ARS call ${attempt} before the next inquiry`,
    });
    const outcome = received();
    if (outcome) return outcome;

    interval = Math.min(interval * 2, arsCall.maxInquiryInterval);
    const inquiry = await inquire();
    const outcomeMeanwhile = received();
    if (outcomeMeanwhile) return outcomeMeanwhile;
    if (inquiry.state === 'ENDED') return inquiry;
    // An unreachable payment gateway tells us nothing about the call.
    const limit = inquiry.state === 'UNKNOWN' ? arsCall.silenceLimit : arsCall.callLimit;
    if (Date.now() - placedAt >= limit) return { outcome: 'NO_OUTCOME' };
  }

  function received() {
    return callbacks.arsCallOutcome(attempt);
  }

  function place(isRepeat: boolean) {
    const { callingHours, dailyLimits, requestGiveUpAfter } = arsCall;
    return placeArsCall(
      { registrationNumber, attempt, isRepeat, callingHours, dailyLimits },
      { scheduleToCloseTimeout: requestGiveUpAfter },
    ).catch(orWhenGivenUp({ state: 'GIVEN_UP' } as const));
  }

  function inquire() {
    return inquireArsCall(
      { registrationNumber, attempt },
      { scheduleToCloseTimeout: arsCall.maxInquiryInterval },
    ).catch(orWhenGivenUp({ state: 'NOT_ANSWERED' } as const));
  }
}
