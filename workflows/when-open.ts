import { ActivityFailure, isCancellation, sleep } from '@temporalio/workflow';
import type { Postponed } from '../contract/activities.ts';
import type { RegistrationInput } from '../contract/registration.ts';
import { defaultClosure } from '../contract/registration-policy.ts';
import { closures } from './activity-proxies.ts';
import type { Progress } from './progress.ts';

/** It stayed closed for all the time allowed, and nothing was asked for. */
export interface StillClosed {
  readonly state: 'STILL_CLOSED';
}

/** What must be open for a question. */
export type Place = 'BANK' | 'PAYMENT_GATEWAY';

const names: Record<Place, string> = { BANK: 'the bank', PAYMENT_GATEWAY: 'the payment gateway' };

/**
 * Asks; where nothing was asked for, because now is no time for it, waits until it is and asks again.
 * @param ask `isRepeat`: whether it asked before.
 */
export async function whenOpen<Answer extends object | void>(
  input: RegistrationInput,
  progress: Progress,
  place: Place,
  ask: (isRepeat: boolean) => Promise<Answer | Postponed>,
): Promise<Answer | StillClosed> {
  const { giveUpAfter } = input.policy.closure ?? defaultClosure;
  const giveUpAt = Date.now() + giveUpAfter;
  for (let isRepeat = false; ; isRepeat = true) {
    const answer = await ask(isRepeat);
    if (!isPostponed(answer)) return answer;
    if (!(await hasReopened(input, progress, place, answer, giveUpAt))) return { state: 'STILL_CLOSED' };
  }
}

/**
 * Waits for the reopening; false when `giveUpAt`, in Unix ms, came first. The waiting is an activity's that is tried
 * again and again, so it may last as long as it will without the history growing.
 */
export async function hasReopened(
  { registrationNumber, policy }: RegistrationInput,
  progress: Progress,
  place: Place,
  { reason, until }: Postponed,
  giveUpAt: number,
): Promise<boolean> {
  const { resumeWithin, lookAgainWithin } = policy.closure ?? defaultClosure;
  progress.record('POSTPONED', reason, 1, until);
  if (reason === 'OUTSIDE_CALLING_HOURS') {
    await untilCallingHours(progress, until, resumeWithin);
    return true;
  }
  progress.waitFor(`${names[place]} to reopen`, until);
  try {
    await closures.awaitReopening.executeWithOptions(
      {
        scheduleToCloseTimeout: Math.max(giveUpAt - Date.now(), 1),
        summary: `Wait for ${names[place]} to reopen`,
      },
      [{ registrationNumber, bank: place === 'BANK', resumeWithin, lookAgainWithin }],
    );
    return true;
  } catch (error) {
    if (error instanceof ActivityFailure && !isCancellation(error)) return false;
    throw error;
  }
}

/** Their time is known, so nobody need look; spread a little, or the morning began with all calls at once. */
async function untilCallingHours(progress: Progress, opensAt: number, resumeWithin: number): Promise<void> {
  progress.waitFor('the hours in which members may be called', opensAt);
  const callAt = opensAt + Math.round(Math.random() * resumeWithin);
  await sleep(Math.max(callAt - Date.now(), 0), { summary: 'Wait for the calling hours' });
}

/** Whether nothing was asked for. */
export function isPostponed(answer: object | void): answer is Postponed {
  return typeof answer === 'object' && 'state' in answer && answer.state === 'POSTPONED';
}
