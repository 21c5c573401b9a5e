import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import type { Client, ScheduleClient, ScheduleOptions } from '@temporalio/client';
import { reconciliationWorkflowId } from '../contract/reconciliation.ts';
import { taskQueue, workflowTypes } from '../contract/registration.ts';
import type { Log } from '../runtime/log.ts';
import { requirePayloadKey } from '../runtime/required-payload-key.ts';

/**
 * The daily workflows, in Korean time. Temporal appends the time to the workflow ID of each scheduled run, so they have no
 * input: it would be encrypted for another workflow ID.
 */
export const schedules: readonly ScheduleOptions[] = [
  {
    scheduleId: 'purge-expired-evidence',
    spec: { calendars: [{ hour: 4, minute: 0 }], timezone: 'Asia/Seoul' },
    policies: { overlap: 'SKIP', catchupWindow: '1 day' },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.purgeEvidence,
      taskQueue,
      staticSummary: 'Destroy evidence whose retention period has ended',
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
      staticSummary: 'Compare our ledger with the payment gateway’s',
    },
  },
];

/** How often the schedules are looked for, in ms. */
const defaultInterval = 60_000;

/**
 * Creates the schedules, or updates them to the definitions above. A paused schedule stays paused. Idempotent: every
 * worker calls it before it takes work.
 * @throws {ConfigurationError} when a schedule is encrypted with a key that is missing: runs would need it too
 */
export async function ensureSchedules({ schedule }: Pick<Client, 'schedule'>): Promise<void> {
  for (const definition of schedules) {
    if (await createSchedule(schedule, definition)) continue;
    const existing = schedule.getHandle(definition.scheduleId);
    const { action } = await existing.describe();
    requirePayloadKey(action.staticSummary, definition.scheduleId);
    await existing.update(({ state }) => ({ ...definition, state, action: definition.action }));
  }
}

/** The IDs of the schedules that do not exist. */
export async function findMissingSchedules({ schedule }: Pick<Client, 'schedule'>): Promise<string[]> {
  const missing: string[] = [];
  for (const { scheduleId } of schedules) {
    try {
      await schedule.getHandle(scheduleId).describe();
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      missing.push(scheduleId);
    }
  }
  return missing;
}

/** When a workflow of a type last completed, in Unix ms; 0: never, or before the namespace's retention. */
export async function findLastSuccess(
  { workflowService, options }: Client,
  workflowType: string,
): Promise<number> {
  // The latest end comes first.
  const { executions } = await workflowService.listWorkflowExecutions({
    namespace: options.namespace,
    pageSize: 1,
    query: `WorkflowType = '${workflowType}' AND ExecutionStatus = 'Completed'`,
  });
  return (executions?.[0]?.closeTime?.seconds?.toNumber() ?? 0) * 1_000;
}

/**
 * Creates schedules that have disappeared, every `interval` ms: Temporal may have been set up empty. It changes no existing
 * one, so workers of two versions do not contend.
 * @returns a function that stops it
 */
export function keepEnsuringSchedules(
  { temporal, log }: { readonly temporal: Client; readonly log: Log },
  interval = defaultInterval,
): () => void {
  const timer = setInterval(() => void createMissing(), interval);
  return () => clearInterval(timer);

  async function createMissing(): Promise<void> {
    try {
      for (const definition of schedules) {
        const isNew = await createSchedule(temporal.schedule, definition);
        if (isNew) log.warn({ schedule: definition.scheduleId }, 'recreated a missing schedule');
      }
    } catch (error) {
      log.warn({ err: error }, 'could not recreate missing schedules');
    }
  }
}

async function createSchedule(schedule: ScheduleClient, definition: ScheduleOptions): Promise<boolean> {
  try {
    await schedule.create(definition);
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}
