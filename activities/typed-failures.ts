import { ApplicationFailure } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { DrizzleQueryError } from 'drizzle-orm';
import type { FailureType } from '../contract/activities.ts';
import { PersonalDataErased } from '../database/personal-data-erased.ts';
import { PaymentGatewayUnavailable } from '../payment-gateway/payment-gateway.ts';

/**
 * Gives expected failures of activities their type of the closed list, and drops everything else of them: the text
 * of a failed query, for one, repeats its parameters.
 */
export function typedFailures(): ActivityInterceptors {
  return {
    inbound: {
      async execute(input, next) {
        try {
          return await next(input);
        } catch (error) {
          throw typed(error);
        }
      },
    },
  };
}

function typed(error: unknown): unknown {
  if (error instanceof PaymentGatewayUnavailable) {
    return ApplicationFailure.retryable(error.message, 'PaymentGatewayUnavailable' satisfies FailureType);
  }
  if (error instanceof PersonalDataErased) {
    return ApplicationFailure.nonRetryable(error.message, 'PersonalDataErased' satisfies FailureType);
  }
  if (error instanceof DrizzleQueryError) {
    const cause = error.cause && 'code' in error.cause ? ` (${String(error.cause.code)})` : '';
    const text = `The database did not take a query${cause}.`;
    return ApplicationFailure.retryable(text, 'DatabaseUnavailable' satisfies FailureType);
  }
  return error;
}
