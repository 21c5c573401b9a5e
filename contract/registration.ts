import type { ArsOutcome, RegistrationStatus } from '../wire/registration-status.ts';
import type { BankCode } from '../wire/bank-codes.ts';
import type { NotificationPolicy, RegistrationPolicy } from './registration-policy.ts';
import type { ResultCode } from '../wire/result-codes.ts';

/** Where a run is, in the order of the steps; REVIEW waits for an operator. */
export type RegistrationStep =
  | 'ACCOUNT_HOLDER_CHECK'
  | 'ARS_CALL'
  | 'CONSENT_EVIDENCE'
  | 'PAYMENT_GATEWAY_REGISTRATION'
  | 'REVIEW'
  | 'DONE';

/** The task queue that API and worker share. */
export const taskQueue = 'withdrawal-account-registration';

/** The workflow types. */
export const workflowTypes = {
  register: 'registerWithdrawalAccount',
  delete: 'deleteWithdrawalAccount',
  registerAutoCharge: 'registerAutoCharge',
  deliverNotification: 'deliverResultNotification',
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
 * Input of the registration workflow. It has no personal data: activities read the account from the database by
 * the registration number, so erasing a member there leaves every history replayable.
 */
export interface RegistrationInput {
  /** 22 characters, `bankAccRegNo` on the wire. */
  readonly registrationNumber: string;
  readonly bankCode: BankCode;
  readonly policy: RegistrationPolicy;
}

/** Input of the other operations on a member's account. */
export interface MemberInput {
  readonly userId: string;
}

/** Input of the workflow that notifies the service provider of a registration's result. */
export interface DeliveryInput {
  readonly registrationNumber: string;
  readonly policy: NotificationPolicy;
}

/** How an operation on a member's account ended. */
export interface OperationResult {
  readonly resultCode: ResultCode;
}

/** How a registration ended. */
export interface RegistrationOutcome {
  readonly status: RegistrationStatus;
  readonly resultCode: ResultCode;
}

/** The state of a registration, as the status query returns it. */
export interface RegistrationState {
  readonly registrationNumber: string;
  readonly status: RegistrationStatus;
  readonly step: RegistrationStep;
  readonly resultCode: ResultCode | null;
}

/** How an ARS call ended, as a callback or an inquiry reports it. */
export interface ArsCallOutcome {
  readonly registrationNumber: string;
  /** Which call to the member this was, from 1. */
  readonly attempt: number;
  /** The payment gateway's ID of the call, 12 characters. */
  readonly callId: string;
  readonly outcome: ArsOutcome;
}

/** The payment gateway's decision on a registration. */
export type PaymentGatewayVerdict =
  | { readonly state: 'REGISTERED' }
  | { readonly state: 'REFUSED'; readonly resultCode: ResultCode };

/** A registration's result, as a callback reports it. */
export interface PaymentGatewayResult {
  readonly registrationNumber: string;
  readonly verdict: PaymentGatewayVerdict;
}

/** An operator's decision on a registration in REVIEW. */
export interface ReviewResolution {
  readonly verdict: 'REGISTERED' | 'NOT_REGISTERED';
  /** Who decides; not a member's data. */
  readonly operator: string;
  /** Why; not a member's data. */
  readonly reason: string;
}
