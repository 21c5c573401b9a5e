import { ActivityFailure, isCancellation } from '@temporalio/workflow';

/**
 * For `catch`: answers `value` for an activity that failed for good or ran out of time. A cancellation or a defect of
 * the workflow itself is thrown on.
 */
export function orWhenGivenUp<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if (error instanceof ActivityFailure && !isCancellation(error)) return value;
    throw error;
  };
}
