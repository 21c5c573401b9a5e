import { ScheduleAlreadyRunning } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { taskQueue, workflowTypes } from '../contract/registration.ts';

/** What runs by the clock, in Korean time. Workflows started by a schedule have its ID and their time as their ID. */
export const schedules: readonly ScheduleOptions[] = [
  {
    scheduleId: 'purge-expired-evidence',
    spec: { calendars: [{ hour: 4, minute: 30 }], timezone: 'Asia/Seoul' },
    action: { type: 'startWorkflow', workflowType: workflowTypes.purgeEvidence, taskQueue },
    policies: { overlap: 'SKIP', catchupWindow: '1 day' },
  },
];

/**
 * Has the Temporal server keep the schedules as they are defined here, whatever it had before; whether one is paused
 * stays as it is. Every worker may do so at its start.
 */
export async function ensureSchedules(temporal: Client): Promise<void> {
  for (const schedule of schedules) {
    try {
      await temporal.schedule.create(schedule);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await temporal.schedule
        .getHandle(schedule.scheduleId)
        .update(({ state }) => ({ ...schedule, state, action: schedule.action }));
    }
  }
}
