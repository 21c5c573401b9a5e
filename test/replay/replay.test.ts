import { readFileSync } from 'node:fs';
import { ReplayError, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, inject, it } from 'vitest';
import { createDataConverter } from '../../encryption/data-converter.ts';
import { quiet } from '../fixtures/stack.ts';
import { historyFile, historyFiles, loadHistory, recordingKeys } from './histories.ts';
import { paths } from './paths.ts';

const dataConverter = createDataConverter(recordingKeys);
const workflowBundle = { codePath: inject('workflowBundle') };
beforeAll(() => {
  const telemetryOptions = { logging: { forward: {} } };
  Runtime.install({ logger: quiet, shutdownSignals: [], telemetryOptions });
});

/** Replays recorded histories against the workflows as they are now. @returns what is wrong, by file */
async function replay(files: readonly string[], alter?: (text: string) => string) {
  const histories = files.map((file) => loadHistory(file, alter));
  const remaining = [...files];
  const errors: Record<string, Error> = {};
  for await (const { error } of Worker.runReplayHistories({ workflowBundle, dataConverter }, histories)) {
    const file = remaining.shift()!;
    if (error) errors[file] = error;
  }
  expect(remaining).toEqual([]);
  return errors;
}

it('has a history of every path for this version', () => {
  expect(historyFiles()).toEqual(expect.arrayContaining(paths.map(historyFile)));
});

it('replays every recorded history of every version', async () => {
  expect(await replay(historyFiles())).toEqual({});
});

it.for([
  ['an activity was another one', '"storeConsentEvidence"', '"placeArsCall"'],
  ['a wait was something else', '"EVENT_TYPE_TIMER_STARTED"', '"EVENT_TYPE_MARKER_RECORDED"'],
] as const)('does not replay a history in which %s', async ([, recorded, altered]) => {
  const file = historyFile('registered');
  const errors = await replay([file], (text) => text.replace(recorded, altered));
  expect(errors[file]).toBeInstanceOf(DeterminismViolationError);
});

it('does not replay a history that another key has encrypted', async () => {
  const file = historyFile('registered');
  const errors = await replay([file], (text) => text.replaceAll('dGVzdA==', 'b3RoZXI='));
  expect(errors[file]).toBeInstanceOf(ReplayError);
});

it('costs a plain registration what ARCHITECTURE.md accounts for', () => {
  const architecture = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const text = readFileSync(new URL(`./histories/${historyFile('registered')}`, import.meta.url), 'utf8');
  const { events } = JSON.parse(text) as { events: { eventType: string }[] };
  const tasks = events.filter(({ eventType }) => eventType === 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED');
  expect([events.length, tasks.length]).toEqual([40, 6]);
  expect(architecture).toContain('40 events in six workflow tasks');
});
