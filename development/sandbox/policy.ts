import { productionPolicy } from '../../contract/registration-policy.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import type { CircuitBreakerOptions } from '../../payment-gateway/circuit-breakers.ts';

const second = 1_000;
const minute = 60 * second;

/** A day's limit that nobody reaches. */
const unlimited = 100_000;

/** Short waits for trying things out: a lost callback is noticed within 3 s, a call without outcome ends within 20 s. */
export const sandboxPolicy: RegistrationPolicy = {
  effects: { sendLimit: 2 * second, settleTime: second, maxAttempts: 5 },
  accountHolderCheck: { giveUpAfter: minute, maxPerDay: unlimited },
  arsCall: {
    ...productionPolicy.arsCall,
    callAgainWait: { NO_ANSWER: second, BUSY: second, CARRIER_ERROR: second },
    callingHours: undefined,
    // The sandbox's members share a few phone and account numbers.
    dailyLimits: {
      member: unlimited,
      phone: unlimited,
      account: unlimited,
      provider: unlimited,
      otherPhone: unlimited,
    },
    // Longer than a restart of the sandbox takes on a busy machine.
    requestGiveUpAfter: 2 * minute,
    firstInquiryAfter: 2 * second,
    maxInquiryInterval: 8 * second,
    silenceLimit: 12 * second,
    callLimit: 3 * minute,
  },
  consentEvidence: { giveUpAfter: 30 * second },
  paymentGatewayRegistration: {
    firstInquiryAfter: second,
    maxInquiryInterval: 5 * second,
    reviewAfter: 2 * minute,
  },
  closure: { giveUpAfter: 10 * minute, resumeWithin: 2 * second, lookAgainWithin: 3 * second },
  resultNotification: { waits: [0, 1, 1, 2, 2, 5, 5, 10, 30, 60].map((seconds) => seconds * second) },
};

/** They let a trial through every two seconds. */
export const sandboxCircuitBreakers: CircuitBreakerOptions = { failures: 10, openFor: 2_000 };
