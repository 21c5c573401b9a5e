import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import { sign } from '../../payment-gateway/http/signature.ts';
import { answerPhone } from '../fixtures/phone.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
let isArsInquiryDown = false;
let duringInquiry = async (_reference: string) => {};
const registerCalls: string[] = [];
beforeAll(async () => {
  stack = await startStack({
    intercept: injectFaults(() => ({
      inquireArsCall: (...asked) =>
        isArsInquiryDown
          ? Promise.reject(new PaymentGatewayUnavailable('unavailable'))
          : stack.simulated.inquireArsCall(...asked),
      inquireRegistration: async (reference, signal) => {
        const state = await stack.simulated.inquireRegistration(reference, signal);
        await duringInquiry(reference);
        return state;
      },
      register: (order, signal) => {
        registerCalls.push(order.reference);
        return stack.simulated.register(order, signal);
      },
    })),
  });
});
afterEach(() => {
  isArsInquiryDown = false;
  duringInquiry = async () => {};
});
afterAll(() => stack.close());

const register = async (member: number, overrides = {}, { url, projects } = stack) => {
  const request = registration(projects[0], member, overrides);
  const { body } = await call(url, projects[0], '/ars/register', request);
  return String(body['bankAccRegNo']);
};
const inquire = (regNo: string, { url, projects } = stack) =>
  call(url, projects[0], '/ars/register/inquiry', { regNo });

it('knows every registration number from the moment a client gets it', async () => {
  const answers = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => await inquire(await register(index))),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
});

it('answers the inquiry within a second while no worker runs, and continues once one does', async () => {
  const running = await register(40, { mobileNumber: '01012340006' });
  await stack.stopWorker();
  const accepted = await register(41);
  for (const regNo of [running, accepted]) {
    const answer = await Promise.race([
      inquire(regNo),
      new Promise((resolve) => setTimeout(resolve, 1_000, 'late')),
    ]);
    expect(answer).toMatchObject({ status: 200, body: { status: 'ARS_AUTH_IN_PROGRESS' } });
  }
  await stack.startWorker();
  for (const regNo of [running, accepted]) {
    expect((await untilEnded(stack.url, stack.projects[0], regNo)).body['status']).toBe(
      'BANK_ACC_REGISTERED',
    );
  }
});

it('answers the inquiry after Temporal has deleted the run', { timeout: 180_000 }, async () => {
  const registered = await register(42);
  const failed = await register(43, { bankAccount: '11012349002' });
  for (const [member, regNo] of [
    [42, registered],
    [43, failed],
  ] as const) {
    await untilEnded(stack.url, stack.projects[0], regNo);
    const workflowId = stack.projects[0].members[member]!.userId;
    await stack.temporal.workflowService.deleteWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId },
    });
    const handle = stack.temporal.workflow.getHandle(workflowId);
    await expect
      .poll(
        () =>
          handle.describe().then(
            () => 'known',
            () => 'forgotten',
          ),
        { timeout: 80_000 },
      )
      .toBe('forgotten');
  }
  expect((await inquire(registered)).body['status']).toBe('BANK_ACC_REGISTERED');
  expect((await inquire(failed)).body).toMatchObject({
    status: 'BANK_ACC_REG_FAILED',
    response: { code: '002_015' },
  });
});

it('does not mistake an unreachable payment gateway for a call without an outcome', async () => {
  const arsCall = {
    ...sandboxPolicy.arsCall,
    firstInquiryAfter: 200,
    maxInquiryInterval: 400,
    silenceLimit: 500,
  };
  const impatientApi = await stack.startAnotherApi({ policy: { ...sandboxPolicy, arsCall } });
  isArsInquiryDown = true;
  const request = registration(stack.projects[0], 46, { mobileNumber: '01012340008' });
  const { body } = await call(impatientApi, stack.projects[0], '/ars/register', request);
  const regNo = String(body['bankAccRegNo']);
  const inquiries = async () => {
    const handle = stack.temporal.workflow.getHandle(stack.projects[0].members[46]!.userId);
    const { events } = await handle.fetchHistory();
    return (events ?? []).filter((event) => event.timerFiredEventAttributes).length;
  };
  await expect.poll(inquiries, { timeout: 20_000 }).toBeGreaterThan(3);
  expect((await inquire(regNo)).body['status']).toBe('ARS_AUTH_IN_PROGRESS');

  await answerPhone(stack.simulatorUrl, regNo, String(body['authNumber']));
  expect((await untilEnded(stack.url, stack.projects[0], regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
  isArsInquiryDown = false;
});

it('does not repeat an attempt whose result is reported during the inquiry', async () => {
  duringInquiry = async (reference) => {
    const body = JSON.stringify({ type: 'REGISTRATION', reference, state: 'REGISTERED' });
    const headers = sign(stack.paymentGatewaySecret, '/pg/callbacks', body);
    expect(
      (await fetch(`${stack.url}/pg/callbacks`, { method: 'POST', headers: { ...headers }, body })).ok,
    ).toBe(true);
  };
  const regNo = await register(47, { bankAccount: '11012349005' });
  expect((await untilEnded(stack.url, stack.projects[0], regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
  expect(registerCalls.filter((reference) => reference === regNo)).toHaveLength(1);
  duringInquiry = async () => {};
});

it('never reports an earlier status again, even if the run is terminated and the member registers again', async () => {
  // The run waits for its recording, so its row is older than the run.
  const terminated = await register(49, { mobileNumber: '01012340020' });
  const status = async () => (await inquire(terminated)).body['status'];
  await expect.poll(status, { timeout: 20_000 }).toBe('ARS_AUTH_DONE');
  await stack.temporal.workflow.getHandle(stack.projects[0].members[49]!.userId).terminate();
  expect(await status()).toBe('ARS_AUTH_DONE');
  const next = await register(49);
  expect(await status()).toBe('ARS_AUTH_DONE');
  await untilEnded(stack.url, stack.projects[0], next);
});

it('refuses registrations while Temporal is unavailable, and still answers inquiries from the database', async () => {
  const other = await startStack();
  onTestFinished(() => other.close());
  const ended = await register(44, {}, other);
  await untilEnded(other.url, other.projects[0], ended);
  // The run waits for its recording, so its row is older than the run.
  const running = await register(48, { mobileNumber: '01012340020' }, other);
  await expect
    .poll(async () => (await inquire(running, other)).body['status'], { timeout: 20_000 })
    .toBe('ARS_AUTH_DONE');
  await other.stopWorker();
  await other.stopTemporal();
  const refused = await call(
    other.url,
    other.projects[0],
    '/ars/register',
    registration(other.projects[0], 45),
  );
  expect(refused).toMatchObject({ status: 503, body: { response: { code: '000_991' } } });
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await inquire(ended, other)).body['status']).toBe('BANK_ACC_REGISTERED');
  expect((await inquire(running, other)).body['status']).toBe('ARS_AUTH_DONE');
});
