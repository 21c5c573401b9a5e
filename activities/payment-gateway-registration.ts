import type { Activities } from '../contract/activities.ts';
import { resultCodeOfRefusal } from '../contract/result-codes.ts';
import { deadline } from './deadline.ts';
import type { Ports } from './ports.ts';

/** Registration at the payment gateway, and removal there. */
export function paymentGatewayRegistrationActivities({
  stores,
  paymentGateway,
}: Ports): Pick<Activities, 'registerAtPaymentGateway' | 'inquireRegistration' | 'removeReplacedAccount'> {
  return {
    async registerAtPaymentGateway({ registrationNumber }) {
      const { details, bankCode, userId } = await stores.registrations.open(registrationNumber);
      const evidence = await stores.consentEvidence.find(registrationNumber);
      if (!evidence) return { state: 'REFUSED', resultCode: resultCodeOfRefusal.EVIDENCE_INVALID };

      const { accountNumber, holderName, birthDate } = details;
      const account = { bankCode, accountNumber, holderName, birthDate };
      const { callId, sha256 } = evidence;
      const order = {
        reference: registrationNumber,
        memberId: userId,
        ...account,
        evidence: { callId, sha256 },
      };
      const answer = await paymentGateway.register(order, deadline());
      if (answer.state !== 'REFUSED') return { state: answer.state };
      return { state: 'REFUSED', resultCode: resultCodeOfRefusal[answer.reason] };
    },

    async inquireRegistration({ registrationNumber }) {
      const standing = await paymentGateway.inquireRegistration(registrationNumber, deadline());
      if (standing.state === 'REFUSED') {
        return { state: 'REFUSED', resultCode: resultCodeOfRefusal[standing.reason] };
      }
      // Registered and removed again by someone else: not ours to decide, so it goes on to an operator's review.
      return { state: standing.state === 'REMOVED' ? 'IN_PROGRESS' : standing.state };
    },

    async removeReplacedAccount({ registrationNumber }) {
      await paymentGateway.removeRegistration(registrationNumber, deadline());
      await stores.registrations.markRemoved(registrationNumber);
    },
  };
}
