import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { workflowTypes } from '../../contract/registration.ts';
import { createDataConverter } from '../../encryption/data-converter.ts';

/** What somebody with Temporal's tools does to the run of a registration. */
export const runActs = [
  'RESET_TO_FIRST_TASK',
  'RESET_TO_ANY_TASK',
  'RESET_TO_LAST_TASK',
  'TERMINATE',
  'CANCEL',
  'SIGNAL_GARBAGE',
  'SIGNAL_FORGED_VERDICT',
  'UPDATE_GARBAGE',
  'UPDATE_FORGED_VERDICT',
] as const;

type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

type ChosenRun = WorkflowHandle & { readonly runId: string };

/** One of {@link runActs}. */
export type RunAct = (typeof runActs)[number];

/** Acts on runs without the service's encryption, as `temporal` and the Web UI do. */
export interface RunFaults {
  /**
   * Does something to one of the latest runs of registrations.
   * @param choice selects the run, and for RESET_TO_ANY_TASK the task
   * @returns 0 if there was no such run, or Temporal did not accept it
   */
  strike(act: RunAct, choice: number): Promise<number>;
  close(): Promise<void>;
}

/** How many runs are chosen from. */
const latestRuns = 20;
/** How long Temporal may take, in ms. */
const timeoutMs = 5_000;

/** Connects to Temporal on first use. `payloadKeys` only read the list of runs. */
export function createRunFaults(temporalAddress: string, payloadKeys: string): RunFaults {
  const connection = Connection.lazy({ address: temporalAddress });
  const client = new Client({ connection });
  const reader = new Client({ connection, dataConverter: createDataConverter(payloadKeys) });

  const acts: Record<RunAct, (run: ChosenRun, choice: number) => Promise<number>> = {
    RESET_TO_FIRST_TASK: (run) => reset(run, (tasks) => tasks[0]),
    RESET_TO_ANY_TASK: (run, choice) => reset(run, (tasks) => tasks[choice % Math.max(tasks.length, 1)]),
    RESET_TO_LAST_TASK: (run) => reset(run, (tasks) => tasks.at(-1)),
    async TERMINATE(run) {
      await run.terminate('fault injection');
      return 1;
    },
    async CANCEL(run) {
      await run.cancel();
      return 1;
    },
    async SIGNAL_GARBAGE(run) {
      await run.signal('wake', Buffer.from([0, 255, 1]));
      await run.signal('no such signal', null);
      return 1;
    },
    async SIGNAL_FORGED_VERDICT(run) {
      await run.signal('paymentGatewayDecided', { verdict: { state: 'REGISTERED' } });
      await run.signal('arsCallEnded', { attempt: 1, callId: 'FORGED000001', outcome: 'PASSED' });
      return 1;
    },
    async UPDATE_GARBAGE(run) {
      await run.executeUpdate('resolveReview', { args: [null] }).catch(() => undefined);
      return 1;
    },
    async UPDATE_FORGED_VERDICT(run) {
      await run.executeUpdate('resolveReview', { args: [{ verdict: 'REGISTERED' }] }).catch(() => undefined);
      await run.executeUpdate('cancel').catch(() => undefined);
      return 1;
    },
  };

  return {
    async strike(act, choice) {
      try {
        return await client.withDeadline(Date.now() + timeoutMs, async () => {
          const run = await chooseRun(choice);
          return run ? await acts[act](run, choice) : 0;
        });
      } catch {
        // Temporal is away, or the run has closed meanwhile.
        return 0;
      }
    },
    close: () => connection.close(),
  };

  async function chooseRun(choice: number): Promise<ChosenRun | undefined> {
    const runs: ChosenRun[] = [];
    const query = `WorkflowType = "${workflowTypes.register}"`;
    for await (const { workflowId, runId } of reader.workflow.list({ query })) {
      runs.push(Object.assign(client.workflow.getHandle(workflowId, runId), { runId }));
      if (runs.length === latestRuns) break;
    }
    return runs[choice % Math.max(runs.length, 1)];
  }

  async function reset(
    run: ChosenRun,
    choose: (tasks: readonly HistoryEvent[]) => HistoryEvent | undefined,
  ): Promise<number> {
    const { events } = await run.fetchHistory();
    const task = choose((events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes));
    if (!task?.eventId) return 0;
    await client.workflowService.resetWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId: run.workflowId, runId: run.runId },
      reason: 'fault injection',
      requestId: randomUUID(),
      workflowTaskFinishEventId: task.eventId,
    });
    return 1;
  }
}
