import type { RegistrationStatus } from '../wire/registration-status.ts';
import { KmUnavailable, RegistrationStillRunningError } from './errors.ts';
import { failedRegistration } from './registration-result.ts';
import type { FailedRegistration, RegistrationResult } from './registration-result.ts';
import { delay, TimeLimitReached, withTimeLimit } from './time-limit.ts';

/** How to wait for the end of a registration. */
export interface WaitOptions {
  /** Between two inquiries, in ms. Default 2000. */
  readonly intervalMs?: number | undefined;
  /** For the whole wait, in ms. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told of the first status and of each change. */
  readonly onStatus?: ((status: RegistrationStatus) => void) | undefined;
}

/** Where a registration stands. */
type Standing = FailedRegistration | { readonly status: RegistrationStatus };

/**
 * Asks until the registration has ended, however often the service is not there in between.
 * @throws {RegistrationStillRunningError} when the time is over
 * @throws {KmRefusal} when there is no such registration, or the credentials are not right
 */
export async function waitUntilDone(
  inquire: (request: { regNo: string }, options: { signal: AbortSignal }) => Promise<Standing>,
  registrationNumber: string,
  { intervalMs = 2_000, timeoutMs, signal: outer, onStatus }: WaitOptions = {},
): Promise<RegistrationResult> {
  let lastStatus: RegistrationStatus | undefined;
  let lastProblem: KmUnavailable | undefined;
  try {
    return await withTimeLimit(timeoutMs, outer, async (signal) => {
      for (;;) {
        const standing = await look(signal);
        lastProblem = standing instanceof KmUnavailable ? standing : undefined;
        if (!(standing instanceof KmUnavailable)) {
          if (standing.status !== lastStatus) onStatus?.(standing.status);
          lastStatus = standing.status;
          if (isEnd(standing)) return standing;
        }
        await delay(Math.max(intervalMs, lastProblem?.retryAfterMs ?? 0), signal);
      }
    });
  } catch (error) {
    if (error instanceof TimeLimitReached && !outer?.aborted)
      throw new RegistrationStillRunningError(lastProblem);
    throw error;
  }

  async function look(signal: AbortSignal): Promise<Standing | KmUnavailable> {
    try {
      return await inquire({ regNo: registrationNumber }, { signal });
    } catch (error) {
      const standing = error instanceof KmUnavailable ? error : failedRegistration(error);
      if (standing) return standing;
      throw error;
    }
  }
}

function isEnd(standing: Standing): standing is RegistrationResult {
  return standing.status !== 'ARS_AUTH_IN_PROGRESS' && standing.status !== 'ARS_AUTH_DONE';
}
