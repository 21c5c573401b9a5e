import { ScheduleAlreadyRunning } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { reconciliationPageSize, reconciliationWorkflowId } from '../contract/reconciliation.ts';
import type { ReconciliationInput } from '../contract/reconciliation.ts';
import { taskQueue, workflowTypes } from '../contract/registration.ts';

/** The daily workflows, in Korean time. Temporal appends the time to the workflow ID of each scheduled run. */
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
 * Creates the schedules, or updates them to the definitions above. A paused schedule stays paused. Idempotent: every
 * worker calls it at its start.
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
