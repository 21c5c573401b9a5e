import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { banks, isBankCode } from '../wire/bank-codes.ts';
import { registrationTimelineQuery } from '../contract/registration-messages.ts';
import { searchAttributes } from '../contract/search-attributes.ts';
import { askTemporal } from './ask-temporal.ts';
import type { TemporalContext } from './command.ts';
import { alignColumns, describeTime } from './table.ts';

/** The deadline for a worker to answer since when a registration has been waiting, in ms. */
const queryDeadline = 3_000;

/** Lists the registrations that wait for an operator. */
export function reviews() {
  return async ({ temporal, print }: TemporalContext): Promise<void> => {
    const waiting = await askTemporal(temporal, () => listWaiting(temporal));
    if (waiting.length === 0) return print('No registration is waiting in REVIEW.');
    const rows = await Promise.all(
      waiting.map(async (run) => [
        run.typedSearchAttributes.get(searchAttributes.registrationNumber) ?? '',
        run.workflowId,
        describeBank(run.typedSearchAttributes.get(searchAttributes.bankCode) ?? ''),
        await describeSince(temporal, run),
      ]),
    );
    for (const line of alignColumns([['number', 'member', 'bank', 'in REVIEW since'], ...rows])) print(line);
  };
}

async function listWaiting(temporal: Client): Promise<WorkflowExecutionInfo[]> {
  const waiting: WorkflowExecutionInfo[] = [];
  const query = 'RegistrationStep = "REVIEW" AND ExecutionStatus = "Running"';
  for await (const run of temporal.workflow.list({ query })) waiting.push(run);
  return waiting;
}

function describeBank(code: string): string {
  return isBankCode(code) ? `${code} ${banks[code]}` : code;
}

/** The run knows since when. Without a worker, Temporal still knows when the registration began. */
async function describeSince(
  temporal: Client,
  { workflowId, runId, startTime }: WorkflowExecutionInfo,
): Promise<string> {
  const run = temporal.workflow.getHandle(workflowId, runId);
  const timeline = await temporal
    .withDeadline(Date.now() + queryDeadline, () => run.query(registrationTimelineQuery))
    .catch(() => []);
  const begun = timeline.find(({ step }) => step === 'REVIEW_BEGUN');
  return begun
    ? describeTime(new Date(begun.at))
    : `unknown while no worker answers; started ${describeTime(startTime)}`;
}
