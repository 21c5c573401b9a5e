import { ApplicationFailure, log, setHandler } from '@temporalio/workflow';
import type { ArsCallOutcome, PaymentGatewayVerdict, ReviewResolution } from '../contract/registration.ts';
import {
  arsCallEndedSignal,
  paymentGatewayDecidedSignal,
  resolveReviewUpdate,
} from '../contract/registration-messages.ts';
import type { Progress } from './progress.ts';
import { codes } from '../wire/result-codes.ts';

/** What has been told to a run from outside, whenever it came. */
export interface Callbacks {
  /** How the call of this attempt ended, if a callback has told. */
  arsCallEnded(attempt: number): ArsCallOutcome | undefined;
  /** What the payment gateway or, in REVIEW, an operator decided, if anyone has told. */
  verdict(): PaymentGatewayVerdict | undefined;
}

/**
 * Takes callbacks from the run's first moment on, so that none comes too early. The first of a kind counts; a
 * repeated one, or one of another registration of the member, stays in the history and changes nothing.
 */
export function receiveCallbacks(registrationNumber: string, progress: Progress): Callbacks {
  const calls = new Map<number, ArsCallOutcome>();
  let verdict: PaymentGatewayVerdict | undefined;

  setHandler(
    arsCallEndedSignal,
    (outcome) => {
      if (outcome.registrationNumber !== registrationNumber || calls.has(outcome.attempt)) {
        return log.info('An ARS callback changes nothing', { attempt: outcome.attempt });
      }
      calls.set(outcome.attempt, outcome);
    },
    { description: 'The payment gateway tells how an ARS call ended' },
  );

  setHandler(
    paymentGatewayDecidedSignal,
    (result) => {
      if (result.registrationNumber !== registrationNumber || verdict) {
        return log.info('A registration callback changes nothing');
      }
      verdict = result.verdict;
    },
    { description: 'The payment gateway tells what became of the registration' },
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
      description: 'An operator decides what became of a registration in REVIEW',
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

  return { arsCallEnded: (attempt) => calls.get(attempt), verdict: () => verdict };
}
