import type { FailedStatus } from '../wire/registration-status.ts';
import { KmRefusal } from './errors.ts';
import type { KmErrorCode } from './errors.ts';
import { codes } from '../wire/result-codes.ts';

/** A registration that has failed. */
export interface FailedRegistration {
  readonly status: FailedStatus;
  /** The result code, such as `002_014`. */
  readonly code: KmErrorCode;
  /** A description of the code. */
  readonly text: string;
  /** Why it failed, in one word such as `NO_ANSWER` or `WRONG_CODE`. Undefined if the service does not say. */
  readonly reason?: string | undefined;
  /** Whether registering the same account again may succeed. */
  readonly retryable: boolean;
}

/**
 * How a registration ended. A failure is a result, not an error: members often miss a call, and the compiler makes the
 * caller check `status`. An error always means that the outcome is unknown.
 */
export type RegistrationResult = { readonly status: 'BANK_ACC_REGISTERED' } | FailedRegistration;

/** The status behind each of the platform's own codes, which may come without a status. */
const statusOfCode: Readonly<Record<string, FailedStatus>> = {
  [codes.ARS_AUTH_FAILED]: 'ARS_AUTH_FAILED',
  [codes.LIFETIME_ACCOUNT]: 'BANK_ACC_REG_FAILED',
  [codes.RESTRICTED_ACCOUNT]: 'BANK_ACC_REG_FAILED',
};

/**
 * Reads a failed registration from an error of `inquire`, which answers HTTP 400 with the reason. Undefined when the
 * inquiry itself failed.
 */
export function failedRegistration(error: unknown): FailedRegistration | undefined {
  if (!(error instanceof KmRefusal)) return undefined;
  const { code, text, retryable, payload } = error;
  const status = isFailedStatus(payload['status']) ? payload['status'] : statusOfCode[code];
  const reason = typeof payload['reason'] === 'string' ? payload['reason'] : undefined;
  return status && { status, code, text, reason, retryable };
}

function isFailedStatus(status: unknown): status is FailedStatus {
  return status === 'ARS_AUTH_FAILED' || status === 'BANK_ACC_REG_FAILED';
}
