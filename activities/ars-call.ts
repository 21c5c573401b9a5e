import { randomUUID } from 'node:crypto';
import type { Activities } from '../contract/activities.ts';
import { currentConsentScript as scriptVersion } from '../contract/consent-scripts.ts';
import { isSamePhoneNumber } from '../wire/phone-number.ts';
import { codes } from '../wire/result-codes.ts';
import { isPostponed } from './bank-closure.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createSteps, question, sendEffect } from './registration-step.ts';
import type { LoadedRegistration } from './registration-step.ts';

/** The ARS call to the member. */
export function arsCallActivities(
  dependencies: ActivityDependencies,
): Pick<Activities, 'placeArsCall' | 'inquireArsCall'> {
  const { stores, paymentGateway } = dependencies;
  const { ledger } = stores;
  const step = createSteps(dependencies);
  const limit = {
    giveUpAfter: ({ arsCall }: LoadedRegistration['policy']) => arsCall.requestGiveUpAfter,
    resultCode: codes.ARS_AUTH_FAILED,
  };

  return {
    placeArsCall: step(['ARS_CALL'], limit, async ({ registrationNumber, policy, open }) => {
      const execution = randomUUID();
      const openCallee = () => {
        const { details, member } = open();
        const { mobileNumber: phoneNumber, accountNumber } = details;
        const isOwnPhone = isSamePhoneNumber(phoneNumber, member.facts.mobileNumber);
        return { phoneNumber, isOwnPhone, accountNumber };
      };
      const claim = await ledger.claimArsCall(registrationNumber, openCallee, policy, execution);
      if (claim.claim !== 'SEND') return claim;

      const { attempt, sendBy } = claim;
      const { mobileNumber: phoneNumber, authNumber: code } = open().details;
      const call = { reference: registrationNumber, attempt, phoneNumber, code, scriptVersion, sendBy };
      const answer = await sendEffect(
        policy.effects.sendLimit,
        async (signal) => ({
          state: 'ACCEPTED' as const,
          ...(await paymentGateway.placeArsCall(call, signal)),
        }),
        () => ledger.markNotSent(registrationNumber, 'ARS_CALL', execution),
      );
      if (isPostponed(answer)) return await ledger.postpone(registrationNumber, answer, policy);
      return await ledger.recordSent(registrationNumber, 'ARS_CALL', attempt, answer);
    }),

    inquireArsCall: step(['ARS_CALL'], undefined, async ({ registrationNumber: reference, policy }) => {
      const call = await ledger.find(reference, 'ARS_CALL', 'OPEN');
      if (!call) return await ledger.read(reference);
      const { attempt } = call;
      const askedAt = await ledger.now();
      const finding = await question((signal) =>
        paymentGateway.inquireArsCall({ reference, attempt }, signal),
      );
      return await ledger.judgeArsCall(reference, attempt, askedAt, finding, policy);
    }),
  };
}
