import { sleep } from '@temporalio/workflow';
import type { Postponement } from '../contract/activities.ts';
import type { RegistrationInput } from '../contract/registration.ts';
import { awaitReopening } from './activity-proxies.ts';
import { orWhenGivenUp } from './given-up.ts';
import type { Progress } from './progress.ts';

/** It stayed closed for as long as the policy waits. Nothing was sent. */
export interface StillClosed {
  readonly state: 'STILL_CLOSED';
}

/** Who must be reachable for a request. */
export type Counterparty = 'BANK' | 'PAYMENT_GATEWAY';

const names: Record<Counterparty, string> = { BANK: 'the bank', PAYMENT_GATEWAY: 'the payment gateway' };

/**
 * Sends a request. When it was postponed, waits for the reopening and sends it again.
 * @param send `isRepeat`: whether it was sent before.
 */
export async function sendWhenOpen<Answer extends object>(
  input: RegistrationInput,
  progress: Progress,
  counterparty: Counterparty,
  send: (isRepeat: boolean) => Promise<Answer | Postponement>,
): Promise<Answer | StillClosed> {
  const giveUpAt = Date.now() + input.policy.closure.giveUpAfter;
  for (let isRepeat = false; ; isRepeat = true) {
    const answer = await send(isRepeat);
    if (!isPostponed(answer)) return answer;
    if (!(await waitForReopening(input, progress, counterparty, answer, giveUpAt)))
      return { state: 'STILL_CLOSED' };
  }
}

/**
 * Waits for the reopening. The wait is one activity that is retried, so even a long closure does not grow the history.
 * @returns false when `giveUpAt`, in Unix ms, came first
 */
export async function waitForReopening(
  { registrationNumber, policy }: RegistrationInput,
  progress: Progress,
  counterparty: Counterparty,
  { reason, until }: Postponement,
  giveUpAt: number,
): Promise<boolean> {
  const { resumeWithin, lookAgainWithin } = policy.closure;
  progress.record('POSTPONED', reason, 1, until);
  if (reason === 'OUTSIDE_CALLING_HOURS') {
    await sleepUntilCallingHours(progress, until, resumeWithin);
    return true;
  }
  progress.waitFor(`${names[counterparty]} to reopen`, until);
  return await awaitReopening(
    { registrationNumber, bank: counterparty === 'BANK', resumeWithin, lookAgainWithin },
    { scheduleToCloseTimeout: Math.max(giveUpAt - Date.now(), 1) },
  )
    .then(() => true)
    .catch(orWhenGivenUp(false));
}

/** The opening time is known: sleep until then, plus jitter, so that not all calls are placed at once. */
async function sleepUntilCallingHours(
  progress: Progress,
  opensAt: number,
  resumeWithin: number,
): Promise<void> {
  progress.waitFor('the hours in which members may be called', opensAt);
  const callAt = opensAt + Math.round(Math.random() * resumeWithin);
  await sleep(Math.max(callAt - Date.now(), 0), { summary: 'Wait for the calling hours' });
}

/** Whether the request was postponed, so that nothing was sent. */
export function isPostponed(answer: object): answer is Postponement {
  return 'state' in answer && answer.state === 'POSTPONED';
}
