import { CancellationScope, patched, sleep } from '@temporalio/workflow';

/**
 * Ends the task in which an update has been taken, so that Temporal keeps the update. One that is accepted in the task
 * that also closes the run is lost when anything else comes in meanwhile. (Seen with Temporal server 1.29.1.)
 */
export async function keepUpdate(): Promise<void> {
  if (!keepsUpdates()) return;
  await CancellationScope.nonCancellable(() => sleep(1, { summary: 'Keep the update first' }));
}

/**
 * Whether updates are completed at once and in tasks of their own; in runs begun by version 0.1.0 they are not. An update
 * that is completed by a task which also waits for a local activity can keep that task failing for as long as the run
 * is queried. (Seen with Temporal SDK 1.24.0: the task refers to a message that it lacks.)
 */
export function keepsUpdates(): boolean {
  return patched('updates-kept');
}
