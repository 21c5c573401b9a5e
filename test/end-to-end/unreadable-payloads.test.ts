import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memberWorkflowId, taskQueue, workflowTypes } from '../../contract/registration.ts';
import { failureConverterPath } from '../../encryption/data-converter.ts';
import { KeyRing } from '../../encryption/key-ring.ts';
import { createPayloadCodec } from '../../encryption/payload-codec.ts';
import { answerPhone } from '../fixtures/phone.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
/** While it is set, an order to register stays without an answer. */
let isRegistrationHanging = false;
beforeAll(async () => {
  stack = await startStack({
    intercept: injectFaults(() => ({
      register: (order, signal) =>
        isRegistrationHanging
          ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          : stack.simulated.register(order, signal),
    })),
  });
});
afterAll(() => stack.close());

const otherKey = () => `nokey:${randomBytes(32).toString('base64')}`;
type Encode = PayloadCodec['encode'];
/** What a stranger can send who may read and write Temporal's namespace and has no payload key. */
const strangers: readonly (readonly [string, Encode])[] = [
  ['in plain text', async (payloads) => payloads],
  ['under an unknown key', (payloads) => createPayloadCodec(new KeyRing(otherKey())).encode(payloads)],
  [
    'that was altered',
    async (payloads) =>
      payloads.map(() => ({
        metadata: { encoding: Buffer.from('binary/encrypted'), keyId: Buffer.from('test-key') },
        data: randomBytes(40),
      })),
  ],
  [
    'that was copied from elsewhere',
    (payloads, context) => {
      const codec = createPayloadCodec(new KeyRing(stack.payloadKeys));
      return context?.type === 'activity'
        ? codec.encode(payloads, { ...context, activityId: '99' })
        : codec.encode(payloads, { type: 'workflow', namespace: 'default', workflowId: 'another-member' });
    },
  ],
];

/** A client that sends as a stranger does, and reads as the test needs it. */
function clientOf(encode: Encode): Client {
  const codec = createPayloadCodec(new KeyRing(stack.payloadKeys));
  return new Client({
    connection: stack.temporal.connection,
    dataConverter: { payloadCodecs: [{ ...codec, encode }], failureConverterPath },
  });
}

/** Registers a member whose phone rings until it is answered, and waits until it rings. */
async function beginRinging(member: number) {
  const request = registration(stack.projects[0], member, { mobileNumber: '01012340008' });
  const { body } = await call(stack.url, stack.projects[0], '/ars/register', request);
  expect(body.response.code).toBe('000_000');
  const number = String(body['bankAccRegNo']);
  const findCalls = async () =>
    (await (await fetch(`${stack.simulatorUrl}/simulator/calls?reference=${number}`)).json()) as unknown[];
  await expect.poll(findCalls, { timeout: 20_000 }).toHaveLength(1);
  return {
    workflowId: memberWorkflowId(String(request['userId'])),
    number,
    answer: () => answerPhone(stack.simulatorUrl, number, String(body['authNumber'])),
  };
}

const endOf = async (number: string) =>
  (await untilEnded(stack.url, stack.projects[0], number)).body['status'];

async function ledgerEntriesOf(number: string): Promise<unknown[]> {
  const entries = (await (await fetch(`${stack.simulatorUrl}/simulator/registrations`)).json()) as {
    bankAccRegNo: string;
  }[];
  return entries.filter(({ bankAccRegNo }) => bankAccRegNo === number);
}

async function failedTasksOf(workflowId: string): Promise<string[]> {
  const { events } = await stack.temporal.workflow.getHandle(workflowId).fetchHistory();
  const [codec] = stack.temporal.options.loadedDataConverter.payloadCodecs;
  const failures = (events ?? []).flatMap(
    ({ workflowTaskFailedEventAttributes: failed }) => failed?.failure ?? [],
  );
  return await Promise.all(
    failures.map(async ({ message, encodedAttributes }) => {
      if (!encodedAttributes) return message ?? '';
      const [payload] = await codec!.decode([encodedAttributes]);
      return Buffer.from(payload!.data!).toString();
    }),
  );
}

describe.each(strangers)('an argument %s', (_name, encode) => {
  const member = strangers.findIndex(([, each]) => each === encode);

  it('of a signal does not stop the run', async () => {
    const { workflowId, number, answer } = await beginRinging(member);
    const run = clientOf(encode).workflow.getHandle(workflowId);
    for (const signal of ['wake', 'arsCallEnded', 'paymentGatewayDecided', 'no-such-signal']) {
      await run.signal(signal, { registrationNumber: number, attempt: 1, outcome: 'FAILED', verdict: {} });
    }
    await answer();
    expect(await endOf(number)).toBe('BANK_ACC_REGISTERED');
    expect(await failedTasksOf(workflowId)).toEqual([]);
  });

  it('of an update is refused and does not stop the run', async () => {
    const { workflowId, number, answer } = await beginRinging(member + 10);
    const run = clientOf(encode).workflow.getHandle(workflowId);
    const failureOf = (update: string): Promise<unknown> =>
      run
        .executeUpdate(update, { args: [{ verdict: 'REGISTERED' }] })
        .catch((error: unknown) => (error as Error).cause);
    expect(await failureOf('resolveReview')).toBeInstanceOf(ApplicationFailure);
    await answer();
    expect(await endOf(number)).toBe('BANK_ACC_REGISTERED');
  });

  it('of a run closes the run, so it does not block the member', async () => {
    const { userId } = stack.projects[0].members[member + 20]!;
    const run = await clientOf(encode).workflow.start(workflowTypes.register, {
      workflowId: memberWorkflowId(userId),
      taskQueue,
      args: [{ registrationNumber: '261125232015AZJ2KMGHUB', policy: {} }],
    });
    await expect.poll(async () => (await run.describe()).status.name, { timeout: 20_000 }).toBe('FAILED');
    const { number, answer } = await beginRinging(member + 20);
    await answer();
    expect(await endOf(number)).toBe('BANK_ACC_REGISTERED');
  });

  it('instead of the result of an activity is never taken for one', async () => {
    isRegistrationHanging = true;
    const { workflowId, number, answer } = await beginRinging(member + 30);
    await answer();
    const run = stack.temporal.workflow.getHandle(workflowId);
    const findRegistering = async () =>
      (await run.describe()).raw.pendingActivities?.find(({ activityType }) =>
        activityType?.name?.startsWith('register'),
      )?.activityId;
    await expect.poll(findRegistering, { timeout: 20_000 }).toBeDefined();
    const activityId = (await findRegistering())!;
    await clientOf(encode).activity.complete({ workflowId, activityId }, { state: 'REGISTERED' });
    const isUnread = async () =>
      (await run.describe()).raw.pendingActivities?.every((pending) => pending.activityId !== activityId);
    await expect.poll(isUnread, { timeout: 20_000 }).toBe(true);
    expect(await stack.simulated.inquireRegistration(number, AbortSignal.timeout(5_000))).toMatchObject({
      state: 'NOT_FOUND',
    });
    isRegistrationHanging = false;
    expect(await endOf(number)).toBe('BANK_ACC_REGISTERED');
    expect(await failedTasksOf(workflowId)).toEqual([]);
    expect(await ledgerEntriesOf(number)).toHaveLength(1);
  });
});

it('thousands of wake-ups do not stop a run, and every run of it replays', async () => {
  const { workflowId, number, answer } = await beginRinging(41);
  const run = stack.temporal.workflow.getHandle(workflowId);
  const wake = () => run.signal('wake').catch((error: unknown) => (error as Error).cause);
  const refusals: unknown[] = [];
  for (let sent = 0; sent < 3_000; sent += 100)
    refusals.push(...(await Promise.all(Array.from({ length: 100 }, wake))));
  expect(refusals.filter(Boolean).every((refusal) => /signal/i.test(String(refusal)))).toBe(true);
  await answer();
  expect(await endOf(number)).toBe('BANK_ACC_REGISTERED');
  let wakeUps = 0;
  let runs = 0;
  for await (const { runId } of stack.temporal.workflow.list({ query: `WorkflowId = "${workflowId}"` })) {
    const history = await stack.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    await Worker.runReplayHistory(stack.replayOptions, history, workflowId);
    wakeUps += history.events!.filter((event) => event.workflowExecutionSignaledEventAttributes).length;
    runs++;
  }
  expect(wakeUps).toBeGreaterThanOrEqual(200);
  expect(runs).toBeGreaterThan(1);
}, 120_000);

it('while the worker lacks the key nothing is lost, and with it the run continues', async () => {
  const { workflowId, number, answer } = await beginRinging(40);
  await stack.stopWorker();
  await stack.startWorker({ payloadKeys: otherKey() });
  await answer();
  await expect.poll(() => failedTasksOf(workflowId), { timeout: 20_000 }).not.toEqual([]);
  await stack.stopWorker();
  await stack.startWorker();
  expect(await endOf(number)).toBe('BANK_ACC_REGISTERED');
});
