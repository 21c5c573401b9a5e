import type { RegistrationStatus } from '../wire/registration-status.ts';
import { KmUnavailable, RegistrationStillRunningError } from './errors.ts';
import { failedRegistration } from './registration-result.ts';
import type { FailedRegistration, RegistrationResult } from './registration-result.ts';
import { delay, TimeLimitReached, withTimeLimit } from './time-limit.ts';

/** How to wait for the result of a registration. */
export interface WaitOptions {
  /** The time between two inquiries, in ms. Default: 2000. */
  readonly intervalMs?: number | undefined;
  /** The limit of the whole wait, in ms. Default: none. */
  readonly timeoutMs?: number | undefined;
  /** Aborts the wait, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the first status and with each change. */
  readonly onStatus?: ((status: RegistrationStatus) => void) | undefined;
}

/** What an inquiry says of a registration. */
type InquiryResult = FailedRegistration | { readonly status: RegistrationStatus };

/**
 * Polls until the registration has ended, and keeps polling while the service is unavailable.
 * @throws {RegistrationStillRunningError} after `timeoutMs`
 * @throws {KmRefusal} when there is no such registration, or the credentials are wrong
 */
export async function waitUntilDone(
  inquire: (request: { regNo: string }, options: { signal: AbortSignal }) => Promise<InquiryResult>,
  registrationNumber: string,
  { intervalMs = 2_000, timeoutMs, signal: outer, onStatus }: WaitOptions = {},
): Promise<RegistrationResult> {
  let lastStatus: RegistrationStatus | undefined;
  let lastFailure: KmUnavailable | undefined;
  try {
    return await withTimeLimit(timeoutMs, outer, async (signal) => {
      for (;;) {
        const state = await inquireOnce(signal);
        lastFailure = state instanceof KmUnavailable ? state : undefined;
        if (!(state instanceof KmUnavailable)) {
          if (state.status !== lastStatus) onStatus?.(state.status);
          lastStatus = state.status;
          if (isResult(state)) return state;
        }
        await delay(Math.max(intervalMs, lastFailure?.retryAfterMs ?? 0), signal);
      }
    });
  } catch (error) {
    if (error instanceof TimeLimitReached && !outer?.aborted)
      throw new RegistrationStillRunningError(lastFailure);
    throw error;
  }

  async function inquireOnce(signal: AbortSignal): Promise<InquiryResult | KmUnavailable> {
    try {
      return await inquire({ regNo: registrationNumber }, { signal });
    } catch (error) {
      const state = error instanceof KmUnavailable ? error : failedRegistration(error);
      if (state) return state;
      throw error;
    }
  }
}

function isResult(state: InquiryResult): state is RegistrationResult {
  return state.status !== 'ARS_AUTH_IN_PROGRESS' && state.status !== 'ARS_AUTH_DONE';
}
