import { sandboxPolicy } from '../sandbox/policy.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';

const second = 1_000;

/**
 * Production's policy with waits short enough for a run of minutes. All time limits are longer than the faults last, and
 * the settle time is longer than a proxy can delay a request.
 */
export const chaosPolicy: RegistrationPolicy = {
  effects: { sendLimit: 3 * second, settleTime: 8 * second, maxAttempts: 5 },
  accountHolderCheck: { ...sandboxPolicy.accountHolderCheck, giveUpAfter: 60 * second },
  arsCall: {
    ...sandboxPolicy.arsCall,
    requestGiveUpAfter: 60 * second,
    firstInquiryAfter: 2 * second,
    maxInquiryInterval: 5 * second,
    silenceLimit: 15 * second,
    callLimit: 90 * second,
  },
  consentEvidence: { giveUpAfter: 25 * second },
  paymentGatewayRegistration: {
    firstInquiryAfter: second,
    maxInquiryInterval: 4 * second,
    reviewAfter: 300 * second,
  },
  closure: { giveUpAfter: 300 * second, resumeWithin: 2 * second, lookAgainWithin: 3 * second },
  // So many that a run never reaches the limit.
  resultNotification: {
    waits: [0, ...Array.from({ length: 60 }, (_, index) => Math.min(1 + index, 8) * second)],
  },
};
