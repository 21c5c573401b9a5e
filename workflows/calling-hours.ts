import { sleep } from '@temporalio/workflow';
import { isWithinKoreanDay, nextKoreanTime } from '../contract/korean-time.ts';
import type { RegistrationInput } from '../contract/registration.ts';
import { defaultClosure } from '../contract/registration-policy.ts';
import type { Progress } from './progress.ts';

/** Waits until members may be called; spread a little, so that the morning does not begin with all calls at once. */
export async function untilCallingHours({ policy }: RegistrationInput, progress: Progress): Promise<void> {
  const { callingHours } = policy.arsCall;
  if (!callingHours || isWithinKoreanDay(callingHours, Date.now())) return;
  const { resumeWithin } = policy.closure ?? defaultClosure;
  const opensAt = nextKoreanTime(callingHours.from, Date.now());
  const callAt = opensAt + Math.round(Math.random() * resumeWithin);
  progress.record('POSTPONED', 'OUTSIDE_CALLING_HOURS', 1, opensAt);
  progress.waitFor('the hours in which members may be called', opensAt);
  await sleep(callAt - Date.now(), { summary: 'Wait for the calling hours' });
}
