import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
beforeEach(() => stack.stopWorker());
afterEach(async () => {
  vi.restoreAllMocks();
  await stack.startWorker();
});
afterAll(() => stack.close());

/** The SDK fails like this in the last act of a worker only now and then, so the test lets it fail. */
function failAtTheEnd(message: string): void {
  const run = Reflect.get<Worker, 'run'>(Worker.prototype, 'run');
  vi.spyOn(Worker.prototype, 'run').mockImplementation(async function (this: Worker) {
    await run.call(this);
    throw new Error(message);
  });
}

describe('the stop of a worker', () => {
  it('succeeds although the SDK did not free a cached workflow', async () => {
    failAtTheEnd('Workflow execution context should have been disposed first');
    await stack.startWorker();
    await expect(stack.stopWorker()).resolves.toBeUndefined();
  });

  it('fails with any other error', async () => {
    failAtTheEnd('Something else, says the test');
    await stack.startWorker();
    await expect(stack.stopWorker()).rejects.toThrow('Something else');
  });
});

it('a worker with the fewest slots registers an account', async () => {
  await stack.startWorker({ slots: { activities: 1, workflowTasks: 2 } });
  const [project] = stack.projects;
  const { body } = await call(stack.url, project, '/ars/register', registration(project, 0));
  expect(await untilEnded(stack.url, project, String(body['bankAccRegNo']))).toMatchObject({
    body: { status: 'BANK_ACC_REGISTERED' },
  });
  await stack.stopWorker();
});
