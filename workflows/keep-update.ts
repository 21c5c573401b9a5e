import { CancellationScope, patched, sleep } from '@temporalio/workflow';

/**
 * Ends the task in which an update has been accepted, so that Temporal keeps the update. One that is accepted in the
 * task that also closes the run is lost when anything else comes in meanwhile (seen with Temporal server 1.29.1).
 */
export async function keepUpdate(): Promise<void> {
  if (!patched('update-kept-before-the-end')) return;
  await CancellationScope.nonCancellable(() => sleep(1, { summary: 'Keep the update first' }));
}
