import { codes, resultCodes } from './result-codes.ts';
import type { ResultCode } from './result-codes.ts';
import type { TimelineEntry } from './timeline.ts';

/** Why a registration failed, and whether registering again may help. */
export interface FailureReason {
  /** A word in capitals: how the last ARS call ended, or why there was no further one; else the name of the code. */
  readonly reason: string;
  readonly retryable: boolean;
}

/** The ends of a call that another call to the same number would have too. */
const lasting: readonly string[] = ['NOT_IN_SERVICE'];

/** Reads the reason for the failure of a registration from its code and its timeline. */
export function failureReasonOf(
  resultCode: ResultCode,
  timeline: readonly Pick<TimelineEntry, 'step' | 'outcome'>[],
): FailureReason {
  const { name, retryable } = resultCodes[resultCode];
  const call =
    resultCode === codes.ARS_AUTH_FAILED
      ? timeline.findLast(({ step }) => step === 'ARS_CALL_ENDED')?.outcome
      : undefined;
  const reason = call ?? name;
  return { reason, retryable: retryable && !lasting.includes(reason) };
}
