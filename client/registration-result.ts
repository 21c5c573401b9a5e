import type { FailedStatus } from '../wire/registration-status.ts';
import { KmRefusal } from './errors.ts';
import type { KmErrorCode } from './errors.ts';
import { codes } from '../wire/result-codes.ts';

/** A registration that has ended by failure. */
export interface FailedRegistration {
  readonly status: FailedStatus;
  /** Why, such as `002_014`. */
  readonly code: KmErrorCode;
  /** What the code means, for people. */
  readonly text: string;
  /** Whether registering the same account again may succeed. */
  readonly retryable: boolean;
}

/**
 * How a registration ended. A failure is a result and no error: that a member does not pick up the phone is an
 * everyday outcome, which the compiler makes the caller tell apart by `status`. An error then always means that the
 * outcome is not known.
 */
export type RegistrationResult = { readonly status: 'BANK_ACC_REGISTERED' } | FailedRegistration;

/** The statuses that the platform's own codes stand for: there, a refusal need not carry one. */
const statusOfCode: Readonly<Record<string, FailedStatus>> = {
  [codes.ARS_AUTH_FAILED]: 'ARS_AUTH_FAILED',
  [codes.LIFETIME_ACCOUNT]: 'BANK_ACC_REG_FAILED',
  [codes.RESTRICTED_ACCOUNT]: 'BANK_ACC_REG_FAILED',
};

/**
 * What an error of `inquire` says of a failed registration: the inquiry answers one with HTTP 400 and the reason.
 * Undefined when the inquiry itself went wrong.
 */
export function failedRegistration(error: unknown): FailedRegistration | undefined {
  if (!(error instanceof KmRefusal)) return undefined;
  const { code, text, retryable, payload } = error;
  const status = isFailedStatus(payload['status']) ? payload['status'] : statusOfCode[code];
  return status && { status, code, text, retryable };
}

function isFailedStatus(status: unknown): status is FailedStatus {
  return status === 'ARS_AUTH_FAILED' || status === 'BANK_ACC_REG_FAILED';
}
