import { ApplicationFailure } from '@temporalio/activity';
import type { Activities, FailureType, Postponement } from '../contract/activities.ts';
import type { ClosurePolicy } from '../contract/registration-policy.ts';
import { CircuitOpen } from '../payment-gateway/circuit-breakers.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Waits for a bank or the payment gateway to reopen. */
export function bankClosureActivities(
  dependencies: ActivityDependencies,
): Pick<Activities, 'awaitReopening'> {
  const { stores, paymentGateway } = dependencies;

  return {
    async awaitReopening({ registrationNumber, bank, ...waits }) {
      const postponed = bank
        ? await tryBank(registrationNumber)
        : await unlessClosed(() => tryPaymentGateway(registrationNumber));
      if (postponed) throw stillClosed(postponed, waits);
    },
  };

  // While a breaker is open, a read-only inquiry tests whether the other side answers again.
  async function tryBank(registrationNumber: string): Promise<Postponement | void> {
    const { bankCode, details } = await stores.registrations.open(registrationNumber);
    const { accountNumber, holderName, birthDate } = details;
    return await unlessBankClosed(dependencies, bankCode, async () => {
      if (!paymentGateway.isInterrupted(bankCode)) return;
      const account = { bankCode, accountNumber, holderName, birthDate };
      await paymentGateway.inquireAccountHolder(account, deadline());
    });
  }

  async function tryPaymentGateway(registrationNumber: string): Promise<void> {
    if (!paymentGateway.isInterrupted()) return;
    await paymentGateway.inquireRegistration(registrationNumber, deadline());
  }
}

/** Sends a request, unless a circuit breaker is open: then it is postponed and nothing was sent. */
export async function unlessClosed<Answer>(send: () => Promise<Answer>): Promise<Answer | Postponement> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof CircuitOpen)) throw error;
    return { state: 'POSTPONED', reason: error.reason, until: error.until };
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
