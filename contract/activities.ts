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

/** A request for an ARS call. */
export interface ArsCallOrder extends ArsCallReference {
  /** Whether it was requested before, so that the phone may have rung already. */
  readonly isRepeat: boolean;
  /** When members may be called; without them, at any hour. */
  readonly callingHours?: CallingHours | undefined;
  readonly dailyLimits: ArsCallLimits;
}

/** Why a circuit breaker is open. */
export type OutageReason = 'BANK_UNAVAILABLE' | 'PAYMENT_GATEWAY_UNAVAILABLE';

/** Nothing was sent, because the other side is closed now. `until`: when it is expected to be open, in Unix ms. */
export interface Postponement {
  readonly state: 'POSTPONED';
  readonly reason: OutageReason | 'BANK_MAINTENANCE' | 'OUTSIDE_CALLING_HOURS';
  readonly until: number;
}

/** The answer of the real-name check. */
export type AccountHolderCheck =
  | { readonly matched: true }
  | { readonly matched: false; readonly resultCode: ResultCode };

/** The result of a request to call the member. LIMIT_REACHED: no more calls are allowed today. */
export type ArsCallPlacement =
  | { readonly state: 'PLACED' }
  | { readonly state: 'LIMIT_REACHED'; readonly limit: ArsCallLimit };

/** What an inquiry says about an ARS call. UNKNOWN: the payment gateway does not know the call or its outcome. */
export type ArsCallInquiry =
  | { readonly state: 'UNKNOWN' | 'IN_PROGRESS' }
  | { readonly state: 'ENDED'; readonly callId: string; readonly outcome: ArsOutcome };

/** The payment gateway's answer to an attempt to register. ACCEPTED: the verdict comes later. */
export type RegistrationAttempt = PaymentGatewayVerdict | { readonly state: 'ACCEPTED' };

/** What an inquiry says about a registration. */
export type RegistrationInquiry = PaymentGatewayVerdict | { readonly state: 'IN_PROGRESS' | 'NOT_FOUND' };

/** GONE: the receiver answered 410. EXHAUSTED: it acknowledged none of the deliveries. */
export type NotificationState = 'PENDING' | 'DELIVERED' | 'GONE' | 'EXHAUSTED';

/** Works on one page of a reconciliation's stage. Idempotent. @returns the next page's cursor; null after the last. */
type ReconciliationActivity = (page: ReconciliationPage) => Promise<string | null>;

/** The activities that workflows call. Their failures have a {@link FailureType}. */
export interface Activities extends Record<ReconciliationStage, ReconciliationActivity> {
  /** Asks the bank, through the payment gateway, whether the account belongs to the named person. */
  checkAccountHolder(reference: RegistrationReference): Promise<AccountHolderCheck | Postponement>;
  /**
   * Marks the code as used and places the call, within calling hours only. A repeat inquires first, so the phone rings
   * once per attempt.
   */
  placeArsCall(order: ArsCallOrder): Promise<ArsCallPlacement | Postponement>;
  /** Inquires about the outcome of a call. */
  inquireArsCall(reference: ArsCallReference): Promise<ArsCallInquiry>;
  /** Fetches and checks the recording, and stores it encrypted with its SHA-256. Idempotent. */
  storeConsentEvidence(reference: ArsCallReference & { readonly callId: string }): Promise<void>;
  /**
   * Registers the account. Refuses without stored evidence of consent. Not idempotent: to be repeated only after an
   * inquiry has answered NOT_FOUND.
   */
  registerAtPaymentGateway(reference: RegistrationReference): Promise<RegistrationAttempt | Postponement>;
  /** Inquires about the outcome of a registration. */
  inquireRegistration(reference: RegistrationReference): Promise<RegistrationInquiry>;
  /**
   * Succeeds once the payment gateway answers again, and with `bank` the registration's bank too. Until then each
   * attempt fails and sets the delay before the next one.
   */
  awaitReopening(
    closure: RegistrationReference & {
      readonly bank: boolean;
    } & Pick<ClosurePolicy, 'resumeWithin' | 'lookAgainWithin'>,
  ): Promise<void>;
  /** Makes the account the member's only active one, in one transaction. `replaced`: the one before, if any. */
  activateAccount(
    ended: RegistrationReference & { readonly timeline: readonly TimelineEntry[] },
  ): Promise<{ readonly replaced: string | null; readonly hasNotification: boolean }>;
  /** Records that the registration failed. Idempotent. */
  recordFailure(
    ended: RegistrationReference & {
      readonly status: FailedStatus;
      readonly resultCode: ResultCode;
      readonly timeline: readonly TimelineEntry[];
    },
  ): Promise<{ readonly hasNotification: boolean }>;
  /** Deactivates the member's active account. `deactivated`: its registration number; null if there was none. */
  deactivateAccount(
    deletion: MemberInput & { /** The ID of the run. */ readonly deletion: string },
  ): Promise<{ readonly deactivated: string | null }>;
  /** Removes an inactive account at the payment gateway and records that. Idempotent. */
  removeAccount(reference: RegistrationReference): Promise<void>;
  /**
   * Delivers the result of a registration to the service provider once, and records the outcome. PENDING: to be
   * delivered again. `retryAfter`: how long the receiver asks to wait, in ms.
   */
  deliverResultNotification(
    delivery: RegistrationReference & { /** From 1. */ readonly delivery: number; readonly isLast: boolean },
  ): Promise<{ readonly state: NotificationState; readonly retryAfter: number }>;
  /** Registers the member's active account for auto charge at the payment gateway. Idempotent. */
  registerAutoCharge(member: MemberInput): Promise<OperationResult>;
  /** Destroys evidence and personal data of registrations after the retention period, except under legal hold. */
  purgeExpiredEvidence(): Promise<{ readonly purged: number }>;
}

/** The types of failure that an activity may end with. */
export type FailureType =
  /** The payment gateway did not answer, or its answer violates the protocol. */
  | 'PaymentGatewayUnavailable'
  /** The bank or the payment gateway is closed; the text says why and until when. */
  | 'Closed'
  /** A database query failed. */
  | 'DatabaseUnavailable'
  /** The recording does not exist yet. */
  | 'RecordingNotReady'
  /** The recording is not accepted: wrong format, too large, or of unknown duration. */
  | 'RecordingInvalid'
  /** The member is erased, or the retention period is over: the data is destroyed. */
  | 'PersonalDataErased';
