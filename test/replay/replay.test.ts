import { fileURLToPath } from 'node:url';
import { Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, it } from 'vitest';
import { createDataConverter, failureConverterPath } from '../../encryption/data-converter.ts';
import {
  workflowInterceptorModules as productInterceptorModules,
  workflowsPath,
} from '../../development/build/workflow-bundle.ts';
import { applyReplacement } from '../../development/fault-injection/source-copy.ts';
import { quiet } from '../fixtures/stack.ts';
import { recordCommands } from './commands.ts';
import {
  historyName,
  historyNames,
  loadHistory,
  recordingKeys,
  snapshotFile,
  snapshotNames,
} from './histories.ts';
import { paths } from './paths.ts';
import type { Path } from './paths.ts';

/** The result of replaying a history. */
interface Replayed {
  readonly error: Error | undefined;
  readonly commands: string;
}

const dataConverter = createDataConverter(recordingKeys, { ofReplay: true });
/** Those of the product, whose commands are part of every history, and one that records. */
const workflowInterceptorModules = [
  ...productInterceptorModules,
  fileURLToPath(new URL('./command-recorder.ts', import.meta.url)),
];
let workflowBundle: WorkflowBundleWithSourceMap;
let replayed: ReadonlyMap<string, Replayed>;

beforeAll(async () => {
  const telemetryOptions = { logging: { forward: {} } };
  Runtime.install({ logger: quiet, shutdownSignals: [], telemetryOptions });
  workflowBundle = await bundleWorkflowCode({
    workflowsPath,
    failureConverterPath,
    workflowInterceptorModules,
    logger: quiet,
  });
  replayed = await replay(historyNames());
});

/** Replays recorded histories against the workflows as they are now. `alter` changes their JSON text first. */
async function replay(
  names: readonly string[],
  alter?: (text: string) => string,
  bundle = workflowBundle,
): Promise<ReadonlyMap<string, Replayed>> {
  const { sinks, take } = recordCommands();
  const options = {
    workflowBundle: bundle,
    dataConverter,
    sinks,
    interceptors: { workflowModules: workflowInterceptorModules },
  };
  const histories = names.map((name) => loadHistory(name, alter));
  const results = new Map<string, Replayed>();
  for await (const { error } of Worker.runReplayHistories(options, histories)) {
    const { startedAt } = histories[results.size]!;
    results.set(names[results.size]!, { error, commands: take(startedAt) });
  }
  return results;
}

it('finds a recorded history of this version for every path', () => {
  expect(historyNames()).toEqual(expect.arrayContaining(paths.map(historyName)));
});

it.for(historyNames())('replays %s without a non-determinism error', (name) => {
  expect(replayed.get(name)?.error).toBeUndefined();
});

it.for(historyNames())('gives the reviewed commands when it replays %s', async (name) => {
  const advice = 'This is a reviewed change: run `npm run replay:snapshots` and look at the diff';
  await expect(replayed.get(name)?.commands, advice).toMatchFileSnapshot(snapshotFile(name));
});

it('finds one command snapshot for every recorded history', () => {
  expect(snapshotNames()).toEqual(historyNames());
});

it.for([
  ['another activity', '"registerAtPaymentGateway"', '"placeArsCall"'],
  ['no timer where the workflow starts one', '"EVENT_TYPE_TIMER_STARTED"', '"EVENT_TYPE_MARKER_RECORDED"'],
] as const)('reports a non-determinism error for a history that has %s', async ([, recorded, altered]) => {
  const name = historyName('registered');
  const results = await replay([name], (text) => text.replace(recorded, altered));
  expect(results.get(name)?.error).toBeInstanceOf(DeterminismViolationError);
});

it('does not replay a history that was encrypted with another key', async () => {
  const name = historyName('registered');
  const results = await replay([name], (text) => text.replaceAll('dGVzdA==', 'b3RoZXI='));
  // What cannot be decrypted is refused as the run's input, so the run fails instead of taking its first step.
  expect(results.get(name)?.error).toBeInstanceOf(DeterminismViolationError);
});

it.for<[string, Path, string, string]>([
  ['a timeout', 'registered', "startToCloseTimeout: '15 seconds'", "startToCloseTimeout: '16 seconds'"],
  [
    'a retry policy',
    'registered',
    "startToCloseTimeout: '15 seconds',\n    retry: {",
    "startToCloseTimeout: '15 seconds',\n    retry: { maximumAttempts: 9,",
  ],
  ['an argument', 'registered', '= visibly(reference)', "= visibly({ registrationNumber: 'another' })"],
  ['the value of a search attribute', 'registered', 'value: step\n', "value: 'REVIEW'\n"],
  ['the length of a timer', 'ars-call-no-answer-once', 'wait.milliseconds, {', 'wait.milliseconds * 2, {'],
  ['a summary', 'registered', "'Register the account at the", "'Register it at the"],
  ['what the Web UI shows', 'registered', '` waits for ${', '` waits until ${'],
  ['a result', 'ledger-reconciled', 'return reconciliationId;', "return 'another';"],
])('notices a change of %s that a replay does not', async ([, path, text, by]) => {
  const code = applyReplacement(workflowBundle.code, { file: 'the workflow bundle', text, by });
  const name = historyName(path);
  const result = (await replay([name], undefined, { ...workflowBundle, code })).get(name);
  expect(result?.error).toBeUndefined();
  expect(result?.commands).not.toBe(replayed.get(name)?.commands);
});
