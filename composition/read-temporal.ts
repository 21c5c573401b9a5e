import type { Client } from '@temporalio/client';
import { taskQueue } from '../contract/registration.ts';
import type { Sample } from '../runtime/read-gauges.ts';
import { findLastSuccess, schedules } from './schedules.ts';
import { describeTaskQueue, isPolling } from './task-queue-pollers.ts';

/** How long Temporal may take to answer, in ms. */
const timeout = 5_000;

/** Reads what Temporal knows, for the metrics: who polls, what waits, and when the schedules last succeeded. */
export async function readTemporal(temporal: Client): Promise<Sample<'temporal'>[]> {
  return await temporal.withDeadline(Date.now() + timeout, async () => {
    const read = [
      ...(['workflow', 'activity'] as const).map((type) => readTaskQueue(temporal, type)),
      ...schedules.map((schedule) => readLastSuccess(temporal, schedule)),
    ];
    return (await Promise.all(read)).flat();
  });
}

async function readTaskQueue(
  temporal: Client,
  label: 'workflow' | 'activity',
): Promise<Sample<'temporal'>[]> {
  const { pollers, stats } = await describeTaskQueue(temporal, taskQueue, label);
  const now = Date.now();
  const backlog = stats?.approximateBacklogCount?.toNumber() ?? 0;
  const age = stats?.approximateBacklogAge?.seconds?.toNumber() ?? 0;
  return [
    {
      metric: 'task_queue_pollers',
      label,
      value: (pollers ?? []).filter((poller) => isPolling(poller, now)).length,
    },
    { metric: 'task_queue_backlog', label, value: backlog },
    { metric: 'task_queue_backlog_age_seconds', label, value: age },
  ];
}

async function readLastSuccess(
  temporal: Client,
  { scheduleId, action }: (typeof schedules)[number],
): Promise<Sample<'temporal'>[]> {
  const value = (await findLastSuccess(temporal, String(action.workflowType))) / 1_000;
  return [{ metric: 'schedule_last_success_timestamp_seconds', label: scheduleId, value }];
}
