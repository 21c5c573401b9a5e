import { ApplicationFailure } from '@temporalio/activity';
import { randomUUID } from 'node:crypto';
import type { Activities, FailureType } from '../contract/activities.ts';
import { resultCodeOfRefusal } from '../contract/refusal-reasons.ts';
import type { EvidenceRecord } from '../database/consent-evidence.ts';
import { AlteredRow } from '../database/row-seals.ts';
import type { RegistrationRequest } from '../payment-gateway/payment-gateway.ts';
import { addToCorrelation } from '../runtime/correlation.ts';
import { codes } from '../wire/result-codes.ts';
import { closureLimit, isPostponed, unlessBankClosed } from './bank-closure.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createSteps, question, sendEffect } from './registration-step.ts';
import type { LoadedRegistration } from './registration-step.ts';

/** Registration at the payment gateway, for withdrawal and for auto charge, and removal there. */
export function paymentGatewayRegistrationActivities(
  dependencies: ActivityDependencies,
): Pick<
  Activities,
  'registerAtPaymentGateway' | 'inquireRegistration' | 'removeAccount' | 'registerAutoCharge'
> {
  const { stores, paymentGateway } = dependencies;
  const { ledger } = stores;
  const step = createSteps(dependencies);

  return {
    registerAtPaymentGateway: step(['PAYMENT_GATEWAY_REGISTRATION'], closureLimit, async (registration) => {
      const { registrationNumber, policy, record, open } = registration;
      const evidence = await stores.consentEvidence.find(registrationNumber);
      const postponed = await unlessBankClosed({ stores }, record.bankCode, async () => undefined);
      if (postponed) return await ledger.postpone(registrationNumber, postponed, policy);
      const execution = randomUUID();
      const claim = await ledger.claimRegistration(registrationNumber, open, policy, execution);
      if (claim.claim !== 'SEND' || !evidence) return claim;

      const { attempt, sendBy } = claim;
      const request = requestOf(registration, evidence, sendBy);
      const answer = await sendEffect(
        policy.effects.sendLimit,
        (signal) => paymentGateway.register(request, signal),
        () => ledger.markNotSent(registrationNumber, 'REGISTRATION', execution),
      );
      if (isPostponed(answer)) return await ledger.postpone(registrationNumber, answer, policy);
      if (answer.state === 'ACCEPTED' || answer.state === 'UNKNOWN')
        return await ledger.recordSent(registrationNumber, 'REGISTRATION', attempt, answer);
      return await ledger.decideRegistration(registrationNumber, verdictOf(answer), 'ANSWER');
    }),

    inquireRegistration: step(
      ['PAYMENT_GATEWAY_REGISTRATION', 'REVIEW'],
      undefined,
      async ({ registrationNumber, policy }) => {
        const askedAt = await ledger.now();
        const answer = await question((signal) =>
          paymentGateway.inquireRegistration(registrationNumber, signal),
        );
        const finding = answer.state === 'REFUSED' ? verdictOf(answer) : answer;
        return await ledger.judgeRegistration(registrationNumber, askedAt, finding, policy);
      },
    ),

    async removeAccount({ registrationNumber }) {
      await stores.incarnations.requireKnown();
      // A run that nobody's transaction ordered removes nothing.
      if (!(await ledger.find(registrationNumber, 'REMOVAL', 'OPEN'))) return;
      if (!(await ledger.isRemovable(registrationNumber)))
        throw new AlteredRow(
          `The ledger orders the removal of ${registrationNumber}, which was neither retired nor has failed: somebody else has written it into the database.`,
        );
      addToCorrelation({ correlationId: await stores.registrations.findCorrelationId(registrationNumber) });
      await requireSettled(registrationNumber);
      await paymentGateway.removeRegistration(registrationNumber, deadline());
      await ledger.recordRemoval(registrationNumber);
    },

    async registerAutoCharge({ userId }) {
      const member = (await stores.members.findKnown([userId])).get(userId);
      const account = member && (await stores.accounts.findActive(member));
      if (!account) return { resultCode: codes.NO_REGISTERED_ACCOUNT };
      const { registrationNumber } = account;
      addToCorrelation({ registrationNumber });
      const { policyId } = (await stores.registrations.load(member, registrationNumber)).record;
      const claim = await ledger.claimAutoCharge(registrationNumber, await stores.policies.get(policyId));
      // Nobody's request ordered it, so whoever started this run registers nothing.
      if (claim === 'NONE') return { resultCode: codes.NO_REGISTERED_ACCOUNT };
      if (claim !== 'SEND') return { resultCode: resultOf(claim === 'DONE') };
      const isRegistered = await paymentGateway.registerAutoCharge(registrationNumber, deadline());
      await ledger.recordAutoCharge(registrationNumber, isRegistered);
      return { resultCode: resultOf(isRegistered) };
    },
  };

  /** What the number sent may still arrive at the payment gateway: a removal before that would miss it. */
  async function requireSettled(registrationNumber: string): Promise<void> {
    const settledAt = await ledger.settledAt(registrationNumber);
    const remaining = (settledAt?.getTime() ?? 0) - (await ledger.now()).getTime();
    if (remaining <= 0) return;
    throw ApplicationFailure.create({
      type: 'NotSettled' satisfies FailureType,
      message: 'An attempt of this registration may still arrive at the payment gateway.',
      nextRetryDelay: remaining,
    });
  }
}

function requestOf(
  { registrationNumber: reference, record, open }: LoadedRegistration,
  { callId, sha256 }: EvidenceRecord,
  sendBy: Date,
): RegistrationRequest {
  const { userId: memberId, bankCode } = record;
  const { accountNumber, holderName, birthDate } = open().details;
  // Nobody is erased while a registration is open.
  const evidence = { callId, sha256: sha256! };
  return { reference, memberId, bankCode, accountNumber, holderName, birthDate, evidence, sendBy };
}

const resultOf = (isRegistered: boolean) => (isRegistered ? codes.SUCCESS : codes.AUTO_CHARGE_FAILED);

type Decision = Extract<
  Awaited<ReturnType<ActivityDependencies['paymentGateway']['register']>>,
  { state: 'REGISTERED' | 'REFUSED' }
>;

function verdictOf(answer: Decision) {
  return answer.state === 'REFUSED'
    ? ({ state: 'REFUSED', resultCode: resultCodeOfRefusal[answer.reason] } as const)
    : ({ state: 'REGISTERED' } as const);
}
