import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { workflowTypes } from '../contract/registration.ts';
import type { RegistrationEnd, RegistrationState, RunOrder } from '../contract/registration.ts';
import { registrationStatuses } from '../wire/registration-status.ts';
import { resultCodes } from '../wire/result-codes.ts';
import { askTemporal } from './ask-temporal.ts';
import type { TemporalContext } from './command.ts';

type RegistrationOrder = Extract<RunOrder, { kind: 'REGISTRATION' }>;

/**
 * A registration as the orders of its runs show it. Nothing here is from workflow IDs and search attributes: whoever may
 * write to Temporal can forge those.
 */
export interface RememberedRun extends RegistrationOrder {
  /** As its number says. */
  readonly startedAt: Date;
  readonly executions: readonly WorkflowExecutionInfo[];
}

type Context = Pick<TemporalContext, 'temporal' | 'reportProgress'>;

/** The registrations with a run that is open or has closed since a time, the oldest first. */
export async function readRuns(context: Context, since: Date): Promise<RememberedRun[]> {
  const runs = new Map<string, RememberedRun>();
  for await (const { order, execution } of list(context, workflowTypes.register, since)) {
    if (order.kind !== 'REGISTRATION') continue;
    const { registrationNumber } = order;
    const executions = [...(runs.get(registrationNumber)?.executions ?? []), execution];
    runs.set(registrationNumber, { ...order, startedAt: timeOf(registrationNumber), executions });
  }
  return [...runs.values()].toSorted(
    (one, other) =>
      one.startedAt.getTime() - other.startedAt.getTime() || firstStartOf(one) - firstStartOf(other),
  );
}

/** In Unix ms; orders the numbers of one second. */
function firstStartOf({ executions }: RememberedRun): number {
  return Math.min(...executions.map(({ startTime }) => startTime.getTime()));
}

/** The removals at the payment gateway that are open or have ended since a time, by the number of the account. */
export async function readRemovals(context: Context, since: Date): Promise<ReadonlyMap<string, Date>> {
  const removals = new Map<string, Date>();
  for await (const { order, execution } of list(context, workflowTypes.removeAccount, since))
    if (order.kind === 'REMOVAL') removals.set(order.registrationNumber, execution.startTime);
  return removals;
}

/**
 * How a registration ended, as an activity of one of its runs read it from the database. Only our workers can have made the
 * result of such an activity, and it names the number, so it does not matter where it stands. Undefined if no run has one.
 */
export async function readEnd(
  { temporal }: Context,
  { registrationNumber, executions }: RememberedRun,
): Promise<RegistrationEnd | undefined> {
  for (const { workflowId, runId, status } of executions) {
    if (status.name === 'RUNNING') continue;
    const run = temporal.workflow.getHandle(workflowId, runId);
    const { events } = await askTemporal(temporal, () => run.fetchHistory());
    const payloads = (events ?? []).flatMap((event) => [
      ...(event.activityTaskCompletedEventAttributes?.result?.payloads ?? []),
      ...Object.values(event.markerRecordedEventAttributes?.details ?? {}).flatMap(
        (detail) => detail.payloads ?? [],
      ),
    ]);
    for (const value of await decode(temporal, payloads)) {
      const { registration } = (value ?? {}) as { readonly registration?: Partial<RegistrationState> | null };
      const { status: shown, resultCode, step } = registration ?? {};
      if (registration?.registrationNumber !== registrationNumber || step !== 'DONE') continue;
      const ended = registrationStatuses.find((known) => known === shown);
      if (ended && resultCode && Object.hasOwn(resultCodes, resultCode)) return { status: ended, resultCode };
    }
  }
  return undefined;
}

type Payloads = Parameters<Client['options']['loadedDataConverter']['payloadCodecs'][number]['decode']>[0];

/** What is not encrypted with our keys becomes a mark that no caller takes for a value. */
async function decode(temporal: Client, payloads: Payloads): Promise<unknown[]> {
  const { payloadCodecs, payloadConverter } = temporal.options.loadedDataConverter;
  let decoded = payloads;
  for (const codec of payloadCodecs) decoded = await codec.decode(decoded);
  return decoded.map((payload) => payloadConverter.fromPayload(payload));
}

async function* list(
  { temporal, reportProgress }: Context,
  type: string,
  since: Date,
): AsyncGenerator<{ readonly order: RunOrder; readonly execution: WorkflowExecutionInfo }> {
  const query = `WorkflowType = '${type}' and (ExecutionStatus = 'Running' or CloseTime >= '${since.toISOString()}')`;
  const executions = temporal.workflow.list({ query })[Symbol.asyncIterator]();
  for (let count = 1; ; count++) {
    const next = await askTemporal(temporal, () => executions.next());
    if (next.done) return;
    const order = orderOf(next.value);
    if (order) yield { order, execution: next.value };
    if (count % 1_000 === 0) reportProgress(`${count} runs of ${type} read`);
  }
}

/** Undefined for a run that this service did not start: the codec marks what is not encrypted with our keys. */
function orderOf({ memo }: WorkflowExecutionInfo): RunOrder | undefined {
  const order = memo?.['order'] as Partial<RunOrder> | undefined;
  return order?.kind && order.registrationNumber ? (order as RunOrder) : undefined;
}

/** When a registration number was made: it begins with `yyMMddHHmmss` in UTC. */
function timeOf(registrationNumber: string): Date {
  const [year, month, day, hour, minute, second] = registrationNumber.slice(0, 12).match(/../g) ?? [];
  return new Date(`20${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
