import { ActivityFailure, isCancellation } from '@temporalio/workflow';

/**
 * For `catch`: returns `value` for an activity that failed for good or ran out of time. It rethrows cancellations and
 * defects of the workflow itself.
 */
export function orWhenGivenUp<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if (error instanceof ActivityFailure && !isCancellation(error)) return value;
    throw error;
  };
}
