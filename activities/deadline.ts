import { activityInfo, cancellationSignal } from '@temporalio/activity';

/**
 * The signal under which an activity talks to the outside: aborted when the activity is cancelled, and a little
 * before its own timeout, so that a request never outlives the attempt that made it.
 */
export function deadline(): AbortSignal {
  const { startToCloseTimeoutMs } = activityInfo();
  return AbortSignal.any([
    cancellationSignal(),
    AbortSignal.timeout(Math.floor(startToCloseTimeoutMs * 0.9)),
  ]);
}
