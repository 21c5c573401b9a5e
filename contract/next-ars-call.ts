import type { ArsOutcome } from '../wire/registration-status.ts';
import { isOpen } from './effects.ts';
import type { Effect } from './effects.ts';
import type { RegistrationPolicy } from './registration-policy.ts';

/** What is to be done about a registration's ARS calls. */
export type NextArsCall =
  /** The member is to be called now. */
  | { readonly state: 'DUE'; readonly attempt: number }
  /** A call is under way. */
  | { readonly state: 'OPEN'; readonly call: Effect }
  /** The member is to be called again, at `until` in Unix ms. */
  | { readonly state: 'LATER'; readonly until: number }
  /** No further call is made. */
  | { readonly state: 'FAILED' };

/**
 * Decides from the rows of the ledger whether the member is called, again or at all. A call that never reached the
 * payment gateway does not count as a call.
 * @param calls all ARS calls of the registration, by attempt
 * @param now in Unix ms
 */
export function nextArsCall(
  calls: readonly Effect[],
  { arsCall, effects }: Pick<RegistrationPolicy, 'arsCall' | 'effects'>,
  now: number,
): NextArsCall {
  const latest = calls.at(-1);
  if (!latest) return { state: 'DUE', attempt: 1 };
  if (isOpen(latest)) return { state: 'OPEN', call: latest };
  if (latest.state === 'NOT_SENT') return { state: 'DUE', attempt: latest.attempt };
  if (calls.length >= effects.maxAttempts) return { state: 'FAILED' };

  const rung = calls.filter(({ state }) => state === 'REFUSED');
  const lastRung = rung.at(-1);
  if (!lastRung) return { state: 'DUE', attempt: latest.attempt + 1 };
  const outcome = lastRung.outcome as ArsOutcome;
  if (rung.length >= arsCall.maxCalls || !arsCall.callAgainAfter.includes(outcome))
    return { state: 'FAILED' };
  const until = lastRung.decidedAt! + (arsCall.callAgainWait[outcome] ?? 0);
  return until > now ? { state: 'LATER', until } : { state: 'DUE', attempt: latest.attempt + 1 };
}
