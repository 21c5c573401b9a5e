import { CancellationScope, sleep } from '@temporalio/workflow';

/**
 * Ends the task in which an update was accepted, so that Temporal persists the update. An update accepted in the task
 * that also closes the run is lost when another event arrives meanwhile (seen with Temporal server 1.29.1).
 */
export async function flushAcceptedUpdate(): Promise<void> {
  await CancellationScope.nonCancellable(() => sleep(1, { summary: 'Persist the update first' }));
}
