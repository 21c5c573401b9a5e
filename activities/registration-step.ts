import { ApplicationFailure, activityInfo } from '@temporalio/activity';
import type { Postponement, StepResult, Wait } from '../contract/activities.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import { memberWorkflowId } from '../contract/registration.ts';
import type { RegistrationReference, RegistrationStep } from '../contract/registration.ts';
import type { NoAnswer, NotAnswered } from '../database/ledger.ts';
import { DatabaseRestored } from '../database/incarnations.ts';
import { toState } from '../database/locked-registration.ts';
import type { Committed } from '../database/locked-registration.ts';
import { PersonalDataErased } from '../database/personal-data-erased.ts';
import type { Stores } from '../database/stores.ts';
import { CircuitOpen } from '../payment-gateway/circuit-breakers.ts';
import {
  BankUnavailable,
  NothingSent,
  PaymentGatewayUnavailable,
} from '../payment-gateway/payment-gateway.ts';
import { afterCommit } from '../runs/after-commit.ts';
import { addToCorrelation } from '../runtime/correlation.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** A registration as its step works on it. */
export type LoadedRegistration = Awaited<ReturnType<Stores['registrations']['load']>> & {
  readonly registrationNumber: string;
  readonly policy: RegistrationPolicy;
};

/** When a step is given up, and with which code the registration then fails. */
export interface StepLimit {
  /** How long it is tried, in ms. */
  readonly giveUpAfter: (policy: RegistrationPolicy) => number;
  readonly resultCode: ResultCode;
}

type StepWork = (
  registration: LoadedRegistration,
) => Promise<Committed & { readonly wait?: Wait | undefined }>;

/**
 * Makes the activities of a registration's steps. Such an activity does nothing for a registration that is in another
 * step, so it does not matter which run asks for it, or how often.
 */
export function createSteps(
  dependencies: Pick<ActivityDependencies, 'stores' | 'temporal' | 'metrics' | 'log'>,
) {
  const { stores } = dependencies;

  /**
   * The activity of a step. An error is thrown, to be retried, until the step is given up: after a time that counts from
   * the row, or at once if a retry cannot help.
   */
  return function step(steps: readonly RegistrationStep[], limit: StepLimit | undefined, work: StepWork) {
    return async ({ registrationNumber }: RegistrationReference): Promise<StepResult> => {
      const loaded = await stores.registrations.loadAny(registrationNumber);
      const { record, now } = loaded;
      addToCorrelation(record);
      requireMember(record.userId);
      if (record.withdrawnAt) return { registration: null };
      if (!steps.includes(record.step)) return { registration: toState(record) };
      const policy = await stores.policies.get(record.policyId);
      try {
        return await toResult(await work({ ...loaded, registrationNumber, policy }));
      } catch (error) {
        const triedFor = now.getTime() - record.triedSince.getTime();
        const isOver = isFinal(error) || triedFor >= (limit?.giveUpAfter(policy) ?? Infinity);
        // Whatever the restore lost, it does not fail a registration.
        if (!limit || !isOver || error instanceof DatabaseRestored) throw error;
        const given = await stores.ledger.giveUp(registrationNumber, record.step, limit.resultCode);
        // Something is open, so the registration cannot fail: where operators see it, the step is tried again.
        if (given.registration?.step === record.step) throw error;
        return await toResult(given);
      }
    };
  };

  async function toResult(committed: Committed & { readonly wait?: Wait | undefined }): Promise<StepResult> {
    await afterCommit(dependencies, committed);
    return { registration: committed.registration, wait: committed.wait };
  }
}

/** The workflow ID is the member ID: a run under another ID is nobody's, and closes. */
function requireMember(userId: string): void {
  const { workflowId } = activityInfo().workflowExecution!;
  if (workflowId !== memberWorkflowId(userId))
    throw ApplicationFailure.nonRetryable('The workflow ID is not that of the registration’s member.');
}

function isFinal(error: unknown): boolean {
  return (
    error instanceof PersonalDataErased ||
    (error instanceof ApplicationFailure && error.nonRetryable === true)
  );
}

/**
 * Sends a request that is in the ledger. Without an answer it counts as sent; only what cannot have left may be sent
 * again.
 * @param limit how long the request is worth something, in ms
 */
export async function sendEffect<Answer extends object>(
  limit: number,
  send: (signal: AbortSignal) => Promise<Answer>,
  markNotSent: () => Promise<unknown>,
): Promise<Answer | Postponement | NoAnswer> {
  try {
    return await send(AbortSignal.any([deadline(), AbortSignal.timeout(limit)]));
  } catch (error) {
    if (error instanceof NothingSent) {
      await markNotSent();
      if (error instanceof CircuitOpen) return postponementOf(error);
      throw error;
    }
    if (error instanceof BankUnavailable) return { state: 'UNKNOWN', reason: 'BANK_UNAVAILABLE' };
    if (error instanceof PaymentGatewayUnavailable) return { state: 'UNKNOWN' };
    throw error;
  }
}

/** Puts a question to the payment gateway. No answer is an answer too: the question is put again later. */
export async function question<Answer extends object>(
  put: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer | NotAnswered> {
  try {
    return await put(deadline());
  } catch (error) {
    if (error instanceof CircuitOpen) return { state: 'NOT_ANSWERED', outage: postponementOf(error) };
    if (error instanceof PaymentGatewayUnavailable) return { state: 'NOT_ANSWERED' };
    throw error;
  }
}

/** What an open circuit breaker means for a registration. */
export function postponementOf({ reason, until }: CircuitOpen): Postponement {
  return { state: 'POSTPONED', reason, until };
}
