import { ScheduleAlreadyRunning } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { reconciliationPageSize, reconciliationWorkflowId } from '../contract/reconciliation.ts';
import type { ReconciliationInput } from '../contract/reconciliation.ts';
import { taskQueue, workflowTypes } from '../contract/registration.ts';

/** What runs by the clock, in Korean time. Temporal adds the time to the ID of a run that a schedule starts. */
export const schedules: readonly ScheduleOptions[] = [
  {
    scheduleId: 'purge-expired-evidence',
    spec: { calendars: [{ hour: 4, minute: 0 }], timezone: 'Asia/Seoul' },
    policies: { overlap: 'SKIP', catchupWindow: '1 day' },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.purgeEvidence,
      taskQueue,
      staticSummary: 'Destroy the evidence whose time of keeping is over',
    },
  },
  {
    scheduleId: 'reconciliation',
    spec: { calendars: [{ hour: 4, minute: 30 }], timezone: 'Asia/Seoul' },
    policies: { overlap: 'SKIP', catchupWindow: '1 day' },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.reconcile,
      workflowId: reconciliationWorkflowId,
      taskQueue,
      args: [{ pageSize: reconciliationPageSize } satisfies ReconciliationInput],
      staticSummary: 'Compare our ledger with the payment gateway’s',
    },
  },
];

/**
 * Has the Temporal server keep the schedules as they are defined here, whatever it had before; one that an operator
 * has paused stays paused. Every worker may do so at its start.
 */
export async function ensureSchedules({ schedule }: Pick<Client, 'schedule'>): Promise<void> {
  for (const definition of schedules) {
    try {
      await schedule.create(definition);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const existing = schedule.getHandle(definition.scheduleId);
      await existing.update(({ state }) => ({ ...definition, state, action: definition.action }));
    }
  }
}
