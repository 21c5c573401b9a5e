import type { Postponement } from './activities.ts';
import { isWithinKoreanDay, nextKoreanTime } from './korean-time.ts';
import type { CallingHours } from './registration-policy.ts';

/** Undefined if members may be called at `at`, in Unix ms; else the postponement until they may. */
export function outsideCallingHours(hours: CallingHours | undefined, at: number): Postponement | undefined {
  if (!hours || isWithinKoreanDay(hours, at)) return undefined;
  return {
    state: 'POSTPONED',
    reason: 'OUTSIDE_CALLING_HOURS',
    until: nextKoreanTime(hours.from, at),
  };
}
