import type { ArsOutcome } from '../wire/registration-status.ts';

/**
 * The waits and limits of a registration, in ms unless said otherwise. Its row names the policy it began with, so a
 * changed default never touches a registration that has begun.
 */
export interface RegistrationPolicy {
  readonly effects: EffectPolicy;
  readonly accountHolderCheck: {
    /** How long the real-name check is retried before the registration fails with `002_913`. */
    readonly giveUpAfter: number;
    /** How many accounts may be checked per day for one member, by registrations and by themselves; not a time. */
    readonly maxPerDay: number;
  };
  readonly arsCall: {
    /** The maximum number of calls. */
    readonly maxCalls: number;
    /** The outcomes after which the member is called again. */
    readonly callAgainAfter: readonly ArsOutcome[];
    /** How long to wait before calling again, by outcome. After an absent outcome: not at all. */
    readonly callAgainWait: Partial<Record<ArsOutcome, number>>;
    /** When members may be called. Absent: at any hour. */
    readonly callingHours?: CallingHours | undefined;
    /** The maximum number of calls per day. */
    readonly dailyLimits: ArsCallLimits;
    /** How long placing one call is retried. */
    readonly requestGiveUpAfter: number;
    /** How long to wait for the callback before asking the payment gateway; each further wait is twice as long. */
    readonly firstInquiryAfter: number;
    /** The longest wait between two inquiries. */
    readonly maxInquiryInterval: number;
    /** How long a call may stay unknown to the payment gateway. */
    readonly silenceLimit: number;
    /** How long one call may take in all. */
    readonly callLimit: number;
  };
  readonly consentEvidence: {
    /** How long fetching and storing the recording is retried before the registration fails with `002_910`. */
    readonly giveUpAfter: number;
  };
  readonly paymentGatewayRegistration: {
    /** The first wait before an inquiry; each further one is twice as long. */
    readonly firstInquiryAfter: number;
    /** The longest wait between two inquiries. */
    readonly maxInquiryInterval: number;
    /** How long an outcome may stay unknown before an operator is asked. */
    readonly reviewAfter: number;
  };
  readonly closure: ClosurePolicy;
  readonly resultNotification: NotificationPolicy;
}

/** How a request that cannot be taken back is sent. */
export interface EffectPolicy {
  /** How long after its entry in the ledger a request is still worth something to the payment gateway. */
  readonly sendLimit: number;
  /**
   * How long after that the payment gateway may still show what it took. Covers its lag, and how far its clock and that
   * of the database differ.
   */
  readonly settleTime: number;
  /** How many attempts of one kind a registration may make; not a time. */
  readonly maxAttempts: number;
}

/** A part of the day in Korea, in ms since midnight there. */
export interface CallingHours {
  readonly from: number;
  readonly until: number;
}

/** The maximum number of ARS calls per day, which begins at midnight in Korea. */
export interface ArsCallLimits {
  readonly member: number;
  /** To one phone number, for all service providers together. */
  readonly phone: number;
  /** For one account at one bank, for all service providers together. */
  readonly account: number;
  /** What one service provider may use of `phone` and of `account`, so that something is left for the others. */
  readonly provider: number;
  /** What one service provider may use of `phone` if the number is not that of its member. */
  readonly otherPhone: number;
}

/** What is counted: the calls to a member, to a phone number, and for an account at a bank. */
export type ArsCallLimit = 'MEMBER' | 'PHONE' | 'ACCOUNT';

/** How long to wait for a closed bank or payment gateway. */
export interface ClosurePolicy {
  /** The total wait before a registration that never reached the payment gateway fails with `002_918`. */
  readonly giveUpAfter: number;
  /** The time over which waiting runs resume after the reopening, with jitter. */
  readonly resumeWithin: number;
  /** The maximum time between two checks, so that an early reopening is noticed. */
  readonly lookAgainWithin: number;
}

/** When a result is delivered to the service provider. */
export interface NotificationPolicy {
  /** The wait before each delivery, extended by up to 10 % of jitter. There are as many deliveries as waits. */
  readonly waits: readonly number[];
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * The defaults of production. Unknown outcomes are inquired about for a day, at intervals that grow to five minutes.
 * The platform documents the same for charges without a proper answer.
 */
export const productionPolicy: RegistrationPolicy = {
  effects: { sendLimit: 10 * second, settleTime: minute, maxAttempts: 5 },
  accountHolderCheck: { giveUpAfter: 30 * minute, maxPerDay: 20 },
  arsCall: {
    maxCalls: 2,
    callAgainAfter: ['NO_ANSWER', 'BUSY', 'CARRIER_ERROR'],
    callAgainWait: { NO_ANSWER: 2 * minute, BUSY: 3 * minute, CARRIER_ERROR: minute },
    callingHours: { from: 8 * hour, until: 21 * hour },
    dailyLimits: { member: 10, phone: 10, account: 10, provider: 6, otherPhone: 3 },
    requestGiveUpAfter: 10 * minute,
    firstInquiryAfter: 30 * second,
    maxInquiryInterval: minute,
    silenceLimit: 5 * minute,
    callLimit: 10 * minute,
  },
  consentEvidence: { giveUpAfter: 30 * minute },
  paymentGatewayRegistration: {
    firstInquiryAfter: 10 * second,
    maxInquiryInterval: 5 * minute,
    reviewAfter: 24 * hour,
  },
  closure: { giveUpAfter: 24 * hour, resumeWithin: 20 * second, lookAgainWithin: 30 * second },
  // Eleven deliveries over three days.
  resultNotification: {
    waits: [
      0,
      30 * second,
      5 * minute,
      30 * minute,
      2 * hour,
      5 * hour,
      10 * hour,
      12 * hour,
      14 * hour,
      14 * hour,
      15 * hour,
    ],
  },
};
