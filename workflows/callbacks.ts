import { ApplicationFailure, log, setHandler } from '@temporalio/workflow';
import type { ArsCallOutcome, PaymentGatewayVerdict, ReviewResolution } from '../contract/registration.ts';
import {
  arsCallEndedSignal,
  paymentGatewayDecidedSignal,
  resolveReviewUpdate,
} from '../contract/registration-messages.ts';
import type { Progress } from './progress.ts';
import { codes } from '../wire/result-codes.ts';

/** What a run has received from outside so far. */
export interface Callbacks {
  /** How the call of this attempt ended; undefined until its callback has arrived. */
  arsCallOutcome(attempt: number): ArsCallOutcome | undefined;
  /** What the payment gateway or, in REVIEW, an operator decided; undefined until then. */
  verdict(): PaymentGatewayVerdict | undefined;
}

/**
 * Receives callbacks from the start of the run, so that none arrives too early. The first of each kind counts. A
 * repeated one, or one for another registration of the member, stays in the history and changes nothing.
 */
export function receiveCallbacks(registrationNumber: string, progress: Progress): Callbacks {
  const calls = new Map<number, ArsCallOutcome>();
  let verdict: PaymentGatewayVerdict | undefined;

  setHandler(
    arsCallEndedSignal,
    (outcome) => {
      if (outcome.registrationNumber !== registrationNumber || calls.has(outcome.attempt)) {
        return log.info('An ARS callback is ignored', { attempt: outcome.attempt });
      }
      calls.set(outcome.attempt, outcome);
    },
    { description: 'The payment gateway reports how an ARS call ended' },
  );

  setHandler(
    paymentGatewayDecidedSignal,
    (result) => {
      if (result.registrationNumber !== registrationNumber || verdict) {
        return log.info('A registration callback is ignored');
      }
      verdict = result.verdict;
    },
    { description: 'The payment gateway reports its decision on the registration' },
  );

  setHandler(
    resolveReviewUpdate,
    (resolution: ReviewResolution) => {
      verdict =
        resolution.verdict === 'REGISTERED'
          ? { state: 'REGISTERED' }
          : { state: 'REFUSED', resultCode: codes.NOT_REGISTERED_AFTER_REVIEW };
      progress.record('REVIEW_RESOLVED', resolution.verdict);
    },
    {
      description: 'An operator resolves a registration in REVIEW',
      validator: (_resolution: ReviewResolution) => {
        if (progress.step() !== 'REVIEW' || verdict) {
          throw ApplicationFailure.nonRetryable(
            'Only a registration in REVIEW can be resolved.',
            'NotInReview',
          );
        }
      },
    },
  );

  return { arsCallOutcome: (attempt) => calls.get(attempt), verdict: () => verdict };
}
