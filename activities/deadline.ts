import { activityInfo, cancellationSignal } from '@temporalio/activity';

/**
 * The signal for an activity's requests to other systems. It aborts when the activity is cancelled, and at 90 % of the
 * activity's own timeout, so that a request never outlives the attempt that made it.
 */
export function deadline(): AbortSignal {
  const { startToCloseTimeoutMs } = activityInfo();
  return AbortSignal.any([
    cancellationSignal(),
    AbortSignal.timeout(Math.floor(startToCloseTimeoutMs * 0.9)),
  ]);
}
