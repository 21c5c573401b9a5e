import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  findingDetails,
  findingKinds,
  reconciliationStages,
  reconciliationWorkflowId,
} from '../contract/reconciliation.ts';
import type { ReconciliationStage } from '../contract/reconciliation.ts';
import { taskQueue, workflowTypes } from '../contract/registration.ts';
import { requireReadable } from '../contract/unreadable-payload.ts';
import { askTemporal } from './ask-temporal.ts';
import type { CommandContext } from './command.ts';
import { Refused } from './refused.ts';

/** The interval between two polls of a running reconciliation, in ms. */
const pollInterval = 1_000;
/** The number of findings read at once. */
const pageSize = 500;

/** Compares our accounts with the payment gateway's now, and reports the differences. */
export function reconcile() {
  return async ({ stores, temporal, print, act }: CommandContext): Promise<void> => {
    await act({}, async () => {});
    const run = await askTemporal(temporal, () => startOrJoin(temporal));
    const reconciliationId = await followUntilEnded(temporal, run, print);
    const report = await stores.reconciliations.find(reconciliationId);
    const counts = report?.counts;
    if (!counts) throw new Refused(`Reconciliation ${reconciliationId} has no report. Run it again.`);

    print(`Reconciliation ${reconciliationId}:`);
    for (const [kind, number] of Object.entries(counts)) print(`${String(number).padStart(9)}  ${kind}`);
    if (report.auditTrailHead !== null) print(`Head of the audit trail: ${report.auditTrailHead}`);
    for (let after: string | undefined = ''; after !== undefined;) {
      const findings = await stores.reconciliations.listFindings(reconciliationId, after, pageSize);
      for (const { registrationNumber, kind, detail } of findings) {
        print(`${registrationNumber}  ${kind}  ${detail}: ${findingDetails[detail]}`);
      }
      after = findings.at(-1)?.registrationNumber;
    }
    const found = findingKinds.reduce((sum, kind) => sum + counts[kind], 0);
    if (found > 0) {
      throw new Refused(
        `The ledgers disagree on ${found} registrations. Nothing was repaired: each line above says what to do.`,
      );
    }
  };
}

/** Starts a reconciliation, or joins one that an operator has already started. */
async function startOrJoin(temporal: Client): Promise<WorkflowHandle> {
  const { workflowId } = await temporal.workflow.start(workflowTypes.reconcile, {
    workflowId: reconciliationWorkflowId,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    taskQueue,
    staticSummary: 'Compare our ledger with the payment gateway’s',
  });
  return temporal.workflow.getHandle(workflowId);
}

/** Prints the stages of a reconciliation until it ends. @returns its ID */
async function followUntilEnded(
  temporal: Client,
  run: WorkflowHandle,
  print: CommandContext['print'],
): Promise<string> {
  print(`The workflow ${run.workflowId} is started; it needs a running worker.`);
  for (let printed = ''; ; await delay(pollInterval)) {
    const { status, raw } = await askTemporal(temporal, () => run.describe());
    if (status.name === 'COMPLETED')
      return requireReadable((await askTemporal(temporal, () => run.result())) as string);
    if (status.name !== 'RUNNING') {
      throw new Refused(`The reconciliation has ended as ${status.name}, without a report. Run it again.`);
    }
    const activity = raw.pendingActivities?.[0];
    const stage = activity?.activityType?.name as ReconciliationStage | undefined;
    if (stage === undefined) continue;
    const attempt = activity?.attempt ?? 1;
    const line = `${reconciliationStages[stage]}${attempt > 1 ? `; attempt ${attempt}, see the worker's log` : ''}`;
    if (line !== printed) print(line);
    printed = line;
  }
}
