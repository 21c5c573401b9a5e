import type { ArsCallLimit, ArsCallLimits, CallingHours, ClosurePolicy } from './registration-policy.ts';
import type { MemberInput, OperationResult, PaymentGatewayVerdict } from './registration.ts';
import type { ArsOutcome, FailedStatus } from '../wire/registration-status.ts';
import type { ReconciliationPage, ReconciliationStage } from './reconciliation.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { TimelineEntry } from '../wire/timeline.ts';

/** Names the registration an activity works on; the activity reads everything else from the database. */
export interface RegistrationReference {
  readonly registrationNumber: string;
}

/** Names one ARS call of a registration. */
export interface ArsCallReference extends RegistrationReference {
  /** Which call to the member, from 1. */
  readonly attempt: number;
}

/** A call to be placed. */
export interface ArsCallOrder extends ArsCallReference {
  /** Whether it was ordered before, so that the phone may have rung already. */
  readonly isRepeat: boolean;
  /** When members may be called. Absent: at any hour. */
  readonly callingHours?: CallingHours | undefined;
  readonly dailyLimits: ArsCallLimits;
}

/** Why a circuit breaker is open. */
export type OutageReason = 'BANK_UNAVAILABLE' | 'PAYMENT_GATEWAY_UNAVAILABLE';

/** Nothing was asked for, because now is no time for it. `until`: when it may be again, in Unix ms. */
export interface Postponement {
  readonly state: 'POSTPONED';
  readonly reason: OutageReason | 'BANK_MAINTENANCE' | 'OUTSIDE_CALLING_HOURS';
  readonly until: number;
}

/** The answer of the real-name check. */
export type AccountHolderCheck =
  | { readonly matched: true }
  | { readonly matched: false; readonly resultCode: ResultCode };

/** What became of an order to call the member. LIMIT_REACHED: there were too many calls on this day already. */
export type ArsCallPlacement =
  | { readonly state: 'PLACED' }
  | { readonly state: 'LIMIT_REACHED'; readonly limit: ArsCallLimit };

/** What the payment gateway says of an ARS call when it is asked. UNKNOWN: it has nothing to say. */
export type ArsCallInquiry =
  | { readonly state: 'UNKNOWN' | 'IN_PROGRESS' }
  | { readonly state: 'ENDED'; readonly callId: string; readonly outcome: ArsOutcome };

/** What the payment gateway answers to an attempt. ACCEPTED: the verdict comes later. */
export type RegistrationAttempt = PaymentGatewayVerdict | { readonly state: 'ACCEPTED' };

/** What the payment gateway says of a registration when it is asked. */
export type RegistrationInquiry = PaymentGatewayVerdict | { readonly state: 'IN_PROGRESS' | 'NOT_FOUND' };

/** GONE: the receiver wants no more. EXHAUSTED: it never acknowledged. */
export type NotificationState = 'PENDING' | 'DELIVERED' | 'GONE' | 'EXHAUSTED';

/**
 * Works on one page of a reconciliation's stage and answers where the next page begins, or null after the last one.
 * The same page again counts nothing twice.
 */
type ReconciliationActivity = (page: ReconciliationPage) => Promise<string | null>;

/** The activities of the workflows. Their failures carry a type of {@link FailureType}. */
export interface Activities extends Record<ReconciliationStage, ReconciliationActivity> {
  /** Asks the bank, through the payment gateway, whether the account is the named person's. */
  checkAccountHolder(reference: RegistrationReference): Promise<AccountHolderCheck | Postponement>;
  /**
   * Spends the code and has the member called, in calling hours only; a repeat asks first, so the phone rings once per
   * attempt.
   */
  placeArsCall(order: ArsCallOrder): Promise<ArsCallPlacement | Postponement>;
  /** Asks how a call stands. */
  inquireArsCall(reference: ArsCallReference): Promise<ArsCallInquiry>;
  /** Fetches the recording, checks it, and stores it encrypted with its SHA-256. */
  storeConsentEvidence(reference: ArsCallReference & { readonly callId: string }): Promise<void>;
  /**
   * Registers the account; without stored evidence of consent it refuses to. Not to be repeated unless an inquiry
   * says NOT_FOUND.
   */
  registerAtPaymentGateway(reference: RegistrationReference): Promise<RegistrationAttempt | Postponement>;
  /** Asks what became of a registration. */
  inquireRegistration(reference: RegistrationReference): Promise<RegistrationInquiry>;
  /**
   * Ends once the payment gateway, and where `bank` says so the registration's bank, answers questions again; until
   * then every try fails and says when the next one comes.
   */
  awaitReopening(
    closure: RegistrationReference & {
      readonly bank: boolean;
    } & Pick<ClosurePolicy, 'resumeWithin' | 'lookAgainWithin'>,
  ): Promise<void>;
  /** Makes the account the member's one active account, in one transaction, and tells which it replaced. */
  activateAccount(
    ended: RegistrationReference & { readonly timeline: readonly TimelineEntry[] },
  ): Promise<{ readonly replaced: string | null; readonly hasNotification: boolean }>;
  /** Writes down that the registration failed. */
  recordFailure(
    ended: RegistrationReference & {
      readonly status: FailedStatus;
      readonly resultCode: ResultCode;
      readonly timeline: readonly TimelineEntry[];
    },
  ): Promise<{ readonly hasNotification: boolean }>;
  /** Takes the member's active account out of use and tells which it was; null when there is none. */
  deactivateAccount(
    deletion: MemberInput & { /** The ID of the run. */ readonly deletion: string },
  ): Promise<{ readonly deactivated: string | null }>;
  /** Removes an account that is out of use at the payment gateway and writes that down. */
  removeAccount(reference: RegistrationReference): Promise<void>;
  /**
   * Tells the service provider how a registration ended, and writes down what came of that: PENDING to be tried
   * again, unless it is the last delivery. `retryAfter`: how long the receiver asks to wait, in ms.
   */
  deliverResultNotification(
    delivery: RegistrationReference & { /** From 1. */ readonly delivery: number; readonly isLast: boolean },
  ): Promise<{ readonly state: NotificationState; readonly retryAfter: number }>;
  /** Registers the member's active account for auto charge at the payment gateway; the same again is harmless. */
  registerAutoCharge(member: MemberInput): Promise<OperationResult>;
  /** Destroys the evidence and personal parts of registrations whose retention is over, but for legal holds. */
  purgeExpiredEvidence(): Promise<{ readonly purged: number }>;
}

/** The types of failure an activity may end with. */
export type FailureType =
  /** The payment gateway did not answer or answered outside its protocol. */
  | 'PaymentGatewayUnavailable'
  /** The bank or the payment gateway is closed; the text tells why and until when. */
  | 'Closed'
  /** The database did not take a query. */
  | 'DatabaseUnavailable'
  /** The recording is not there yet. */
  | 'RecordingNotReady'
  /** The recording is no permitted recording: wrong type, too large, or of unknown duration. */
  | 'RecordingInvalid'
  /** The member is erased, or the registration's retention is over: what was to be read is gone for good. */
  | 'PersonalDataErased';
