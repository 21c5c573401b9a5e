import { ActivityFailure, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { ArsCallPlacement, Postponed } from '../contract/activities.ts';
import { outsideCallingHours } from '../contract/calling-hours.ts';
import type { RegistrationInput } from '../contract/registration.ts';
import type { ArsOutcome } from '../wire/registration-status.ts';
import type { ArsCallLimit } from '../contract/registration-policy.ts';
import type { Callbacks } from './callbacks.ts';
import { phoneCalls, questions } from './activity-proxies.ts';
import type { Progress } from './progress.ts';
import { whenOpen } from './when-open.ts';

/** The call in which the member consented. */
export interface Consent {
  readonly attempt: number;
  readonly callId: string;
}

type CallEnd =
  | { readonly outcome: ArsOutcome; readonly callId: string }
  | { readonly outcome: 'NOT_PLACED' | 'NO_OUTCOME' | `${ArsCallLimit}_LIMIT` };

/** Calls the member, again where the policy allows it, until the code is keyed in; undefined when it never is. */
export async function obtainConsent(
  input: RegistrationInput,
  progress: Progress,
  callbacks: Callbacks,
): Promise<Consent | undefined> {
  const { maximumCalls, callAgainAfter, callAgainWait = {} } = input.policy.arsCall;
  progress.moveTo('ARS_CALL', 'the payment gateway to take the call');

  for (let attempt = 1; attempt <= maximumCalls; attempt++) {
    const end = await callMember(attempt, input, progress, callbacks);
    progress.record('ARS_CALL_ENDED', end.outcome, attempt);
    if (!('callId' in end)) return undefined;
    if (end.outcome === 'PASSED') return { attempt, callId: end.callId };
    if (!callAgainAfter.includes(end.outcome)) return undefined;
    const wait = callAgainWait[end.outcome];
    if (wait && attempt < maximumCalls) {
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
): Promise<CallEnd> {
  const {
    registrationNumber,
    policy: { arsCall },
  } = input;
  const placement = await whenOpen(
    input,
    progress,
    'PAYMENT_GATEWAY',
    async (isRepeat) => outsideCallingHours(arsCall.callingHours, Date.now()) ?? (await place(isRepeat)),
  );
  if (placement?.state === 'LIMIT_REACHED') return { outcome: `${placement.limit}_LIMIT` };
  if (placement && placement.state !== 'PLACED') {
    return callbacks.arsCallEnded(attempt) ?? { outcome: 'NOT_PLACED' };
  }

  progress.record('ARS_CALL_PLACED', 'PLACED', attempt);
  const placedAt = Date.now();
  let interval = arsCall.firstInquiryAfter;
  progress.waitFor('the member to key in the code', placedAt + arsCall.callLimit);
  for (;;) {
    await condition(() => callbacks.arsCallEnded(attempt) !== undefined, interval, {
      summary: `Callback of ARS call ${attempt}, else inquiry`,
    });
    const told = callbacks.arsCallEnded(attempt);
    if (told) return told;

    interval = Math.min(interval * 2, arsCall.maximumInquiryInterval);
    const inquiry = await inquire(attempt);
    const toldMeanwhile = callbacks.arsCallEnded(attempt);
    if (toldMeanwhile) return toldMeanwhile;
    if (inquiry.state === 'ENDED') return inquiry;
    // Silence of the payment gateway as a whole says nothing about the call.
    const limit = inquiry.state === 'UNKNOWN' ? arsCall.silenceLimit : arsCall.callLimit;
    if (Date.now() - placedAt >= limit) return { outcome: 'NO_OUTCOME' };
  }

  /** Undefined, as version 0.1.0 answered: placed. */
  async function place(
    isRepeat: boolean,
  ): Promise<ArsCallPlacement | Postponed | { readonly state: 'GIVEN_UP' } | void> {
    try {
      return await phoneCalls.placeArsCall.executeWithOptions(
        { scheduleToCloseTimeout: arsCall.requestGiveUpAfter, summary: `Place ARS call ${attempt}` },
        [
          {
            registrationNumber,
            attempt,
            isRepeat,
            callingHours: arsCall.callingHours,
            dailyLimits: arsCall.dailyLimits,
          },
        ],
      );
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      return { state: 'GIVEN_UP' };
    }
  }

  async function inquire(call: number) {
    try {
      return await questions.inquireArsCall.executeWithOptions(
        { scheduleToCloseTimeout: arsCall.maximumInquiryInterval, summary: `Ask about ARS call ${call}` },
        [{ registrationNumber, attempt: call }],
      );
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      return { state: 'NOT_ANSWERED' } as const;
    }
  }
}
