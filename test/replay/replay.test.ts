import { Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDataConverter } from '../../platform/temporal.ts';
import { workflowsPath } from '../../worker/worker.ts';
import { quiet } from '../stack.ts';
import { historyFile, historyFiles, loadHistory, recordingKeys } from './histories.ts';
import { paths } from './paths.ts';

const dataConverter = createDataConverter(recordingKeys);
let workflowBundle: { code: string };
beforeAll(async () => {
  Runtime.install({ logger: quiet, shutdownSignals: [] });
  const failureConverterPath = dataConverter.failureConverterPath!;
  workflowBundle = await bundleWorkflowCode({ workflowsPath, failureConverterPath, logger: quiet });
});

/** Replays histories of runs against the workflows as they are now. @returns the errors, by number of the history */
async function replay(histories: ReturnType<typeof loadHistory>[]) {
  const errors = new Map<number, Error>();
  let number = 0;
  for await (const { error } of Worker.runReplayHistories({ workflowBundle, dataConverter }, histories)) {
    if (error) errors.set(number, error);
    number++;
  }
  expect(number).toBe(histories.length);
  return errors;
}

it('has a history of every path of this version', () => {
  expect(historyFiles()).toEqual(expect.arrayContaining(paths.map(historyFile)));
});
