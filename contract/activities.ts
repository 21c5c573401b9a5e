import type {
  MemberInput,
  OperationResult,
  RegistrationReference,
  RegistrationState,
} from './registration.ts';
import type { ReconciliationPage, ReconciliationStage } from './reconciliation.ts';

/** Why a circuit breaker is open. */
export type OutageReason = 'BANK_UNAVAILABLE' | 'PAYMENT_GATEWAY_UNAVAILABLE';

/** Why a request is postponed. */
export type PostponementReason = OutageReason | 'BANK_MAINTENANCE' | 'OUTSIDE_CALLING_HOURS';

/** Nothing was sent, because the other side is closed now. `until`: when it is expected to be open, in Unix ms. */
export interface Postponement {
  readonly state: 'POSTPONED';
  readonly reason: PostponementReason;
  readonly until: number;
}

/** What a registration waits for before its step goes on. `milliseconds`: how long at most. */
export type Wait =
  /** For the payment gateway's callback; without one, it is asked. */
  | { readonly for: 'CALLBACK'; readonly milliseconds: number }
  /** For a time: that of the next call, or the hours in which members may be called. */
  | {
      readonly for: 'TIME';
      readonly reason: 'CALL_AGAIN' | 'OUTSIDE_CALLING_HOURS';
      readonly milliseconds: number;
    }
  /** For the bank or the payment gateway to reopen. */
  | { readonly for: 'REOPENING'; readonly reason: PostponementReason; readonly milliseconds: number };

/** What a step of a registration came to: where the registration now stands, and what it waits for, if anything. */
export interface StepResult {
  /** Null when the registration was withdrawn: nobody has its number. */
  readonly registration: RegistrationState | null;
  readonly wait?: Wait | undefined;
}

/** GONE: the receiver answered 410. EXHAUSTED: it acknowledged none of the deliveries. */
export const notificationStates = ['PENDING', 'DELIVERED', 'GONE', 'EXHAUSTED'] as const;

/** One of {@link notificationStates}. */
export type NotificationState = (typeof notificationStates)[number];

/** A step of a registration. It continues from the ledger of effects, so it is safe to run again, whoever runs it. */
type Step = (reference: RegistrationReference) => Promise<StepResult>;

/** Works on one page of a reconciliation's stage. Idempotent. @returns the next page's cursor; null after the last. */
type ReconciliationActivity = (page: ReconciliationPage) => Promise<string | null>;

/** The activities that workflows call. Their failures have a {@link FailureType}. */
export interface Activities extends Record<ReconciliationStage, ReconciliationActivity> {
  /** Reads where the registration stands. */
  readRegistration: Step;
  /** Asks the bank, through the payment gateway, whether the account is the named person's. */
  checkAccountHolder: Step;
  /**
   * Spends the code and has the member called, in calling hours only, or says what the call waits for. Each attempt
   * rings once.
   */
  placeArsCall: Step;
  /** Asks the payment gateway how the open call stands. */
  inquireArsCall: Step;
  /** Fetches and checks the recording of the passed call, and stores it encrypted with its SHA-256. */
  storeConsentEvidence: Step;
  /** Registers the account, or says what the registration waits for. Refuses without stored evidence of consent. */
  registerAtPaymentGateway: Step;
  /** Asks the payment gateway what became of the open registration. */
  inquireRegistration: Step;
  /**
   * Succeeds once whoever the registration waits for answers again. Until then each attempt fails and sets the delay
   * before the next one.
   */
  awaitReopening: Step;
  /** Ends the registration as cancelled, unless the payment gateway may have registered the account. */
  cancelRegistration: Step;
  /** Removes an inactive account at the payment gateway and records that. Idempotent. */
  removeAccount(reference: RegistrationReference): Promise<void>;
  /**
   * Delivers the result of a registration to the service provider if a delivery is due, and records the outcome.
   * `milliseconds`: how long to wait before the next delivery.
   */
  deliverResultNotification(reference: RegistrationReference): Promise<{
    readonly state: NotificationState | 'HELD';
    readonly delivery: number;
    readonly milliseconds: number;
  }>;
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
  /** The database was restored, and no operator has said yet what was lost. */
  | 'DatabaseRestored'
  /** The recording does not exist yet. */
  | 'RecordingNotReady'
  /** The recording is not accepted: wrong format, too large, or of unknown duration. */
  | 'RecordingInvalid'
  /** The member is erased, or the retention period is over: the data is destroyed. */
  | 'PersonalDataErased'
  /** An attempt may still arrive at the payment gateway, so it is too early to remove what it may leave there. */
  | 'NotSettled';
