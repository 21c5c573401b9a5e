import { afterAll, beforeAll, expect, it } from 'vitest';
import { memberWorkflowId } from '../../contract/registration.ts';
import { arsCallEndedSignal, cancelRegistrationUpdate } from '../../contract/registration-messages.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration } from '../fixtures/wire-client.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

it('a cancellation is kept when another event arrives while the run closes', async () => {
  const [project] = stack.projects;
  const request = registration(project, 0, { mobileNumber: '01012340009' });
  const { body } = await call(stack.url, project, '/ars/register', request);
  const registrationNumber = String(body['bankAccRegNo']);
  const run = stack.temporal.workflow.getHandle(memberWorkflowId(String(request['userId'])));

  // The last step of the run, which the worker does in the task that closes it.
  const { registrations } = stack.stores;
  let arrive = async () => {
    arrive = async () => {};
    const outcome = { registrationNumber, attempt: 1, callId: 'CALL00000001', outcome: 'BUSY' } as const;
    await run.signal(arsCallEndedSignal, outcome);
  };
  const fail: typeof registrations.fail = async (number, end) => {
    await arrive();
    return await registrations.fail(number, end);
  };
  await stack.stopWorker();
  await stack.startWorker({ stores: { ...stack.stores, registrations: { ...registrations, fail } } });

  await expect(run.executeUpdate(cancelRegistrationUpdate)).resolves.toBeUndefined();
  expect(await run.result()).toEqual({ status: 'BANK_ACC_REG_FAILED', resultCode: '002_914' });
});
