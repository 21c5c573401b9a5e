import type { Activities } from '../contract/activities.ts';
import { resultCodeOfRefusal } from '../contract/refusal-reasons.ts';
import { unlessBankClosed } from './bank-closure.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { codes } from '../wire/result-codes.ts';

/** Registration at the payment gateway, for withdrawal and for auto charge, and removal there. */
export function paymentGatewayRegistrationActivities({
  stores,
  paymentGateway,
}: ActivityDependencies): Pick<
  Activities,
  'registerAtPaymentGateway' | 'inquireRegistration' | 'removeAccount' | 'registerAutoCharge'
> {
  return {
    async registerAtPaymentGateway({ registrationNumber }) {
      const { details, bankCode, userId } = await stores.registrations.open(registrationNumber);
      const evidence = await stores.consentEvidence.find(registrationNumber);
      if (!evidence) return { state: 'REFUSED', resultCode: resultCodeOfRefusal.EVIDENCE_INVALID };

      const { accountNumber, holderName, birthDate } = details;
      const account = { bankCode, accountNumber, holderName, birthDate };
      const { callId, sha256 } = evidence;
      const request = {
        reference: registrationNumber,
        memberId: userId,
        ...account,
        evidence: { callId, sha256 },
      };
      const answer = await unlessBankClosed({ stores }, bankCode, () =>
        paymentGateway.register(request, deadline()),
      );
      if (answer.state === 'POSTPONED') return answer;
      if (answer.state !== 'REFUSED') return { state: answer.state };
      return { state: 'REFUSED', resultCode: resultCodeOfRefusal[answer.reason] };
    },

    async inquireRegistration({ registrationNumber }) {
      const answer = await paymentGateway.inquireRegistration(registrationNumber, deadline());
      if (answer.state === 'REFUSED') {
        return { state: 'REFUSED', resultCode: resultCodeOfRefusal[answer.reason] };
      }
      // Somebody else has removed it. An operator must decide, so the run continues until REVIEW.
      return { state: answer.state === 'REMOVED' ? 'IN_PROGRESS' : answer.state };
    },

    async removeAccount({ registrationNumber }) {
      await paymentGateway.removeRegistration(registrationNumber, deadline());
      await stores.accounts.markRemoved(registrationNumber);
    },

    async registerAutoCharge({ userId }) {
      const account = await stores.accounts.findActive(userId);
      if (!account) return { resultCode: codes.NO_REGISTERED_ACCOUNT };
      const { registrationNumber } = account;
      const isRegistered = await paymentGateway.registerAutoCharge(registrationNumber, deadline());
      if (!isRegistered) return { resultCode: codes.AUTO_CHARGE_FAILED };
      await stores.accounts.markAutoCharge(registrationNumber);
      return { resultCode: codes.SUCCESS };
    },
  };
}
