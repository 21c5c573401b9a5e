import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { reconciliationPageSize, reconciliationWorkflowId } from '../contract/reconciliation.ts';
import type { ReconciliationInput } from '../contract/reconciliation.ts';
import { taskQueue, workflowTypes } from '../contract/registration.ts';

/** What runs at fixed times, by Korean time. */
const schedules: readonly ScheduleOptions[] = [
  {
    scheduleId: 'reconciliation',
    spec: { calendars: [{ hour: 4, minute: 30 }], timezone: 'Asia/Seoul' },
    policies: { overlap: ScheduleOverlapPolicy.SKIP },
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

/** Sees to it that the schedules are there as defined here; one that an operator has paused stays paused. */
export async function ensureSchedules({ schedule }: Pick<Client, 'schedule'>): Promise<void> {
  for (const definition of schedules) {
    try {
      await schedule.create(definition);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const existing = schedule.getHandle(definition.scheduleId);
      await existing.update(({ state }) => ({ ...definition, state }));
    }
  }
}
