import { ApplicationFailure } from '@temporalio/activity';
import type { Activities, FailureType, Postponement } from '../contract/activities.ts';
import type { ClosurePolicy } from '../contract/registration-policy.ts';
import { CircuitOpen } from '../payment-gateway/circuit-breakers.ts';
import { codes } from '../wire/result-codes.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createSteps, postponementOf } from './registration-step.ts';
import type { LoadedRegistration, StepLimit } from './registration-step.ts';

/** How long a registration waits for a bank or the payment gateway in all. */
export const closureLimit: StepLimit = {
  giveUpAfter: ({ closure }) => closure.giveUpAfter,
  resultCode: codes.BANK_OR_GATEWAY_CLOSED,
};

/** Waits for a bank or the payment gateway to reopen. */
export function bankClosureActivities(
  dependencies: ActivityDependencies,
): Pick<Activities, 'awaitReopening'> {
  const { stores, paymentGateway } = dependencies;
  const step = createSteps(dependencies);

  return {
    awaitReopening: step(
      ['ACCOUNT_HOLDER_CHECK', 'ARS_CALL', 'PAYMENT_GATEWAY_REGISTRATION'],
      closureLimit,
      async (registration) => {
        const { registrationNumber, record, policy } = registration;
        const postponed =
          record.step === 'ARS_CALL'
            ? await unlessClosed(() => tryPaymentGateway(registrationNumber))
            : await tryBank(registration);
        if (!postponed) return await stores.ledger.read(registrationNumber);
        const committed = await stores.ledger.postpone(registrationNumber, postponed, policy);
        if (committed.wait?.for === 'REOPENING') throw stillClosed(postponed, policy.closure);
        return committed;
      },
    ),
  };

  // While a breaker is open, an inquiry that changes nothing shows whether answers come again.
  async function tryBank({ record, open }: LoadedRegistration): Promise<Postponement | void> {
    const { bankCode } = record;
    return await unlessBankClosed(dependencies, bankCode, async () => {
      if (!paymentGateway.isInterrupted(bankCode)) return;
      const { accountNumber, holderName, birthDate } = open().details;
      const account = { bankCode, accountNumber, holderName, birthDate };
      await paymentGateway.inquireAccountHolder(account, deadline());
    });
  }

  async function tryPaymentGateway(registrationNumber: string): Promise<void> {
    if (!paymentGateway.isInterrupted()) return;
    await paymentGateway.inquireRegistration(registrationNumber, deadline());
  }
}

/** Whether the request was postponed, so that nothing was sent. */
export function isPostponed(answer: object): answer is Postponement {
  return 'state' in answer && answer.state === 'POSTPONED';
}

/** Sends a request, unless a circuit breaker is open: then it is postponed and nothing was sent. */
export async function unlessClosed<Answer>(send: () => Promise<Answer>): Promise<Answer | Postponement> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof CircuitOpen)) throw error;
    return postponementOf(error);
  }
}

/** Sends a request, unless the bank has a maintenance window or a circuit breaker is open: then it is postponed. */
export async function unlessBankClosed<Answer>(
  { stores }: Pick<ActivityDependencies, 'stores'>,
  bankCode: string,
  send: () => Promise<Answer>,
): Promise<Answer | Postponement> {
  const until = await stores.bankWindows.closedUntil(bankCode, Date.now());
  if (until !== undefined) return { state: 'POSTPONED', reason: 'BANK_MAINTENANCE', until };
  return await unlessClosed(send);
}

function stillClosed(
  { reason, until }: Postponement,
  { resumeWithin, lookAgainWithin }: Pick<ClosurePolicy, 'resumeWithin' | 'lookAgainWithin'>,
): ApplicationFailure {
  const wait = Math.min(Math.max(until - Date.now(), 0), lookAgainWithin);
  return ApplicationFailure.create({
    type: 'Closed' satisfies FailureType,
    message: `Closed until ${new Date(until).toISOString()} (${reason}).`,
    nextRetryDelay: Math.round(wait + Math.random() * resumeWithin),
  });
}
