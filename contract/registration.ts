import type { ArsOutcome, RegistrationStatus } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { TimelineEntry } from '../wire/timeline.ts';

/** Where a registration stands, in the order of the steps. */
export const registrationSteps = [
  'ACCOUNT_HOLDER_CHECK',
  'ARS_CALL',
  'CONSENT_EVIDENCE',
  'PAYMENT_GATEWAY_REGISTRATION',
  /** Nobody knows whether the account is registered: an operator may decide. */
  'REVIEW',
  'DONE',
] as const;

/** One of {@link registrationSteps}. */
export type RegistrationStep = (typeof registrationSteps)[number];

/** The task queue that API and worker share. */
export const taskQueue = 'withdrawal-account-registration';

/** The workflow types. */
export const workflowTypes = {
  register: 'registerWithdrawalAccount',
  registerAutoCharge: 'registerAutoCharge',
  deliverNotification: 'deliverResultNotification',
  removeAccount: 'removeAccount',
  reconcile: 'reconcileLedger',
  purgeEvidence: 'purgeExpiredEvidence',
} as const;

/**
 * The workflow ID of a member's operations is the member ID itself: Temporal then refuses a second operation of the
 * same member while one runs.
 */
export function memberWorkflowId(userId: string): string {
  return userId;
}

/** The workflow ID under which the result of a registration is delivered to the service provider. */
export function notificationWorkflowId(registrationNumber: string): string {
  return `notification-${registrationNumber}`;
}

/** The workflow ID under which an unused account is removed at the payment gateway. */
export function removalWorkflowId(registrationNumber: string): string {
  return `removal-${registrationNumber}`;
}

/**
 * Input of every workflow on one registration. Everything else is in the database, so a new run continues where an
 * earlier one stopped, and erasing a member leaves every history replayable.
 */
export interface RegistrationReference {
  /** 22 characters, `bankAccRegNo` on the wire. */
  readonly registrationNumber: string;
}

/**
 * What a run was started for, in its memo. It is one payload, encrypted with our keys, so only this service can have made
 * it: after a restore of the database it is evidence, unlike workflow IDs and search attributes.
 */
export type RunOrder =
  | {
      readonly kind: 'REGISTRATION';
      readonly registrationNumber: string;
      readonly userId: string;
      readonly aspId: string;
      readonly bankCode: string;
      /** Of the request that began it; undefined: a restore has lost it. */
      readonly correlationId?: string | undefined;
    }
  | { readonly kind: 'NOTIFICATION' | 'REMOVAL'; readonly registrationNumber: string };

/** Input of the workflow that registers a member's account for auto charge. */
export interface MemberInput {
  readonly userId: string;
  /** Of the request that it is done for. */
  readonly correlationId?: string | undefined;
}

/** How an operation on a member's account ended. */
export interface OperationResult {
  readonly resultCode: ResultCode;
}

/** How a registration ended. Both null: it was withdrawn before anybody got its number. */
export interface RegistrationOutcome {
  readonly status: RegistrationStatus | null;
  readonly resultCode: ResultCode | null;
}

/** Where a registration stands: its row, as the run last read it. */
export interface RegistrationState {
  readonly registrationNumber: string;
  readonly status: RegistrationStatus;
  readonly step: RegistrationStep;
  readonly resultCode: ResultCode | null;
  readonly timeline: readonly TimelineEntry[];
}

/** How a registration ended. */
export interface RegistrationEnd {
  readonly status: RegistrationStatus;
  readonly resultCode: ResultCode;
}

/** How an ARS call ended, as a callback or an inquiry reports it. */
export interface ArsCallResult {
  /** The payment gateway's ID of the call, 12 characters. */
  readonly callId: string;
  readonly outcome: ArsOutcome;
}

/** What the payment gateway, or an operator, decided about a registration. */
export type RegistrationVerdict =
  | { readonly state: 'REGISTERED' }
  | { readonly state: 'REFUSED'; readonly resultCode: ResultCode };

/** An operator's decision on a registration in REVIEW. */
export type ReviewVerdict = 'REGISTERED' | 'NOT_REGISTERED';
