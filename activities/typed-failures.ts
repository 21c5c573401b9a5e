import { ApplicationFailure } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import type { FailureType } from '../contract/activities.ts';
import { DatabaseRestored } from '../database/incarnations.ts';
import { failedQueryText } from '../database/failed-query.ts';
import { PersonalDataErased } from '../database/personal-data-erased.ts';
import { PaymentGatewayUnavailable } from '../payment-gateway/payment-gateway.ts';

/**
 * Turns the expected errors of activities into failures with a {@link FailureType}. Only the message of an error is
 * kept, because its other properties may hold personal data.
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
  if (error instanceof DatabaseRestored) {
    return ApplicationFailure.retryable(error.message, 'DatabaseRestored' satisfies FailureType);
  }
  const failedQuery = failedQueryText(error);
  if (failedQuery !== undefined) {
    return ApplicationFailure.retryable(failedQuery, 'DatabaseUnavailable' satisfies FailureType);
  }
  return error;
}
