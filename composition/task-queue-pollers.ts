import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';

/** How long ago a worker that polls may have begun its latest poll, in ms: a poll that gets nothing takes 60 s. */
const pollLimit = 90_000;

const { TaskQueueType, WorkerVersioningMode } = proto.temporal.api.enums.v1;

type Description = proto.temporal.api.workflowservice.v1.IDescribeTaskQueueResponse;
type TaskQueueDescription = Pick<Description, 'pollers' | 'versioningInfo'>;

/** Describes the part of a task queue that holds tasks of a type, with the number of those that wait. */
export async function describeTaskQueue(
  { workflowService, options }: Client,
  taskQueue: string,
  type: 'workflow' | 'activity',
): Promise<Description> {
  return await workflowService.describeTaskQueue({
    namespace: options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType:
      type === 'workflow' ? TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW : TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    reportStats: true,
  });
}

/**
 * Says why new work stays in a task queue; undefined if somebody takes it.
 * @param identity of the worker that has to poll; without it any worker may, whose version gets new runs
 */
export async function findWorkerProblem(
  temporal: Client,
  taskQueue: string,
  identity?: string,
): Promise<string | undefined> {
  const descriptions = await Promise.all([
    describeTaskQueue(temporal, taskQueue, 'workflow'),
    describeTaskQueue(temporal, taskQueue, 'activity'),
  ]);
  return descriptions.map((description) => judgePollers(description, Date.now(), identity)).find(Boolean);
}

/** Judges what Temporal says of a task queue at `now`, in Unix ms. */
export function judgePollers(
  { pollers, versioningInfo }: TaskQueueDescription,
  now: number,
  identity?: string,
): string | undefined {
  const polling = (pollers ?? []).filter((poller) => isPolling(poller, now));
  if (identity !== undefined) {
    const isAmongThem = polling.some((poller) => poller.identity === identity);
    return isAmongThem ? undefined : 'this worker does not poll';
  }
  if (polling.length === 0) return 'no worker polls';
  const current = versioningInfo?.currentDeploymentVersion;
  const getsWork = polling.some(({ deploymentOptions: own }) =>
    current
      ? own?.deploymentName === current.deploymentName && own?.buildId === current.buildId
      : own?.workerVersioningMode !== WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED,
  );
  if (getsWork) return undefined;
  const name = current ? `${current.deploymentName} ${current.buildId}` : 'none: unversioned workers';
  return `no worker has the current deployment version (${name})`;
}

/** Whether a worker still polls at `now`, in Unix ms. */
export function isPolling(
  { lastAccessTime }: NonNullable<Description['pollers']>[number],
  now: number,
): boolean {
  return (lastAccessTime?.seconds?.toNumber() ?? 0) * 1_000 > now - pollLimit;
}
