import { ActivityFailure, condition, isCancellation } from '@temporalio/workflow';
import type { ArsOutcome, RegistrationInput } from '../contract/registration.ts';
import type { Callbacks } from './callbacks.ts';
import { phoneCalls, questions } from './policies.ts';
import type { Progress } from './progress.ts';

/** The call in which the member consented. */
export interface Consent {
  readonly attempt: number;
  readonly callId: string;
}

type CallEnd =
  | { readonly outcome: ArsOutcome; readonly callId: string }
  | { readonly outcome: 'NOT_PLACED' | 'NO_OUTCOME' };

/** Calls the member, again where the policy allows it, until the code is keyed in; undefined when it never is. */
export async function obtainConsent(
  input: RegistrationInput,
  progress: Progress,
  callbacks: Callbacks,
): Promise<Consent | undefined> {
  const { maximumCalls, callAgainAfter } = input.policy.arsCall;
  progress.moveTo('ARS_CALL', 'the payment gateway to take the call');

  for (let attempt = 1; attempt <= maximumCalls; attempt++) {
    const end = await callMember(attempt, input, progress, callbacks);
    progress.record('ARS_CALL_ENDED', end.outcome, attempt);
    if (end.outcome === 'PASSED') return { attempt, callId: end.callId };
    if (end.outcome === 'NOT_PLACED' || end.outcome === 'NO_OUTCOME') return undefined;
    if (!callAgainAfter.includes(end.outcome)) return undefined;
  }
  return undefined;
}

async function callMember(
  attempt: number,
  { registrationNumber, policy: { arsCall } }: RegistrationInput,
  progress: Progress,
  callbacks: Callbacks,
): Promise<CallEnd> {
  try {
    await phoneCalls.placeArsCall.executeWithOptions(
      { scheduleToCloseTimeout: arsCall.requestGiveUpAfter, summary: `Place ARS call ${attempt}` },
      [{ registrationNumber, attempt }],
    );
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
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
