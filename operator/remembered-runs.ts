import type { WorkflowExecutionInfo } from '@temporalio/client';
import { removalWorkflowId, workflowTypes } from '../contract/registration.ts';
import type { RegistrationEnd } from '../contract/registration.ts';
import { searchAttributes } from '../contract/search-attributes.ts';
import { registrationStatuses } from '../wire/registration-status.ts';
import { resultCodes } from '../wire/result-codes.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import { askTemporal } from './ask-temporal.ts';
import type { TemporalContext } from './command.ts';

/** A registration as its runs show it. */
export interface RememberedRun {
  readonly registrationNumber: string;
  readonly userId: string;
  readonly aspId: string;
  readonly bankCode: string;
  readonly startedAt: Date;
  /** How it ended; undefined if none of its runs says so. */
  readonly told: RegistrationEnd | undefined;
}

type Context = Pick<TemporalContext, 'temporal' | 'reportProgress'>;

/** The registrations with a run that is open or has closed since a time, the oldest first. */
export async function readRuns(context: Context, since: Date): Promise<RememberedRun[]> {
  const runs = new Map<string, RememberedRun>();
  for await (const execution of list(context, workflowTypes.register, since)) {
    const { workflowId: userId, startTime: startedAt, typedSearchAttributes: attributes } = execution;
    const registrationNumber = attributes.get(searchAttributes.registrationNumber);
    const aspId = attributes.get(searchAttributes.aspId);
    const bankCode = attributes.get(searchAttributes.bankCode);
    if (!registrationNumber || !aspId || !bankCode) continue;
    const other = runs.get(registrationNumber);
    runs.set(registrationNumber, {
      registrationNumber,
      userId,
      aspId,
      bankCode,
      startedAt: other && other.startedAt < startedAt ? other.startedAt : startedAt,
      told: other?.told ?? endOf(execution),
    });
  }
  return [...runs.values()].toSorted((one, other) => one.startedAt.getTime() - other.startedAt.getTime());
}

/** The removals at the payment gateway that are open or have ended since a time, by the number of the account. */
export async function readRemovals(context: Context, since: Date): Promise<ReadonlyMap<string, Date>> {
  const removals = new Map<string, Date>();
  for await (const { workflowId, startTime } of list(context, workflowTypes.removeAccount, since))
    removals.set(workflowId.slice(removalWorkflowId('').length), startTime);
  return removals;
}

async function* list(
  { temporal, reportProgress }: Context,
  type: string,
  since: Date,
): AsyncGenerator<WorkflowExecutionInfo> {
  const query = `WorkflowType = '${type}' and (ExecutionStatus = 'Running' or CloseTime >= '${since.toISOString()}')`;
  const executions = temporal.workflow.list({ query })[Symbol.asyncIterator]();
  for (let count = 1; ; count++) {
    const next = await askTemporal(temporal, () => executions.next());
    if (next.done) return;
    yield next.value;
    if (count % 1_000 === 0) reportProgress(`${count} runs of ${type} read`);
  }
}

/** A run shows how its registration ended before it completes. */
function endOf({
  status,
  typedSearchAttributes: attributes,
}: WorkflowExecutionInfo): RegistrationEnd | undefined {
  const shown = attributes.get(searchAttributes.status);
  const resultCode = attributes.get(searchAttributes.resultCode);
  const ended = registrationStatuses.find((known) => known === shown);
  if (status.name !== 'COMPLETED' || !ended || !resultCode || !Object.hasOwn(resultCodes, resultCode))
    return undefined;
  return { status: ended, resultCode: resultCode as ResultCode };
}
