import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { memberWorkflowId, notificationWorkflowId } from '../../contract/registration.ts';
import { resolveReviewUpdate } from '../../contract/registration-messages.ts';
import { productionPolicy } from '../../contract/registration-policy.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { divideWaits } from '../fixtures/divided-policy.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, callEncrypted, registration, untilEnded } from '../fixtures/wire-client.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** The factors that turn days and minutes into seconds. */
const [forDays, forMinutes] = [day / (20 * second), 60];

/** Production's policy without calling hours. */
const atAnyHour: RegistrationPolicy = {
  ...productionPolicy,
  arsCall: { ...productionPolicy.arsCall, callingHours: { from: 0, until: day } },
};
/** An account whose registration the payment gateway accepts and never decides. */
const undecidedAccount = '11012340001';

let stack: Stack;
let urls: Record<'undivided' | 'minutes' | 'days', string>;
let nextMember = 0;
beforeAll(async () => {
  const undecided = new Set<string>();
  stack = await startStack({
    policy: atAnyHour,
    intercept: injectFaults(() => ({
      register: async (order, signal) => {
        if (order.accountNumber !== undecidedAccount) return await stack.simulated.register(order, signal);
        undecided.add(order.reference);
        return { state: 'ACCEPTED' };
      },
      inquireRegistration: async (reference, signal) => {
        if (!undecided.has(reference)) return await stack.simulated.inquireRegistration(reference, signal);
        return { state: 'IN_PROGRESS' };
      },
    })),
  });
  urls = {
    undivided: stack.url,
    minutes: await stack.startAnotherApi({ policy: divideWaits(atAnyHour, forMinutes) }),
    days: await stack.startAnotherApi({ policy: divideWaits(atAnyHour, forDays, 2 * second) }),
  };
});
afterAll(() => stack.close());

async function register(url: string, overrides: Readonly<Record<string, unknown>>) {
  const [project] = stack.projects;
  const request = registration(project, nextMember++, overrides);
  const { body } = await call(url, project, '/ars/register', request);
  expect(body.response.code).toBe('000_000');
  return { userId: String(request['userId']), regNo: String(body['bankAccRegNo']) };
}

const handleOf = (userId: string) => stack.temporal.workflow.getHandle(memberWorkflowId(userId));

async function timesOf(regNo: string, step: string): Promise<number[]> {
  const { body } = await call(stack.url, stack.projects[0], '/ars/register/timeline', { regNo });
  const steps = body['steps'] as { step: string; at: string }[];
  return steps.filter((entry) => entry.step === step).map(({ at }) => Date.parse(at));
}

// On a busy machine a callback may come in the same task as the answer before it, which saves a task.
it('needs 40 history events and 6 workflow tasks for a plain registration', { retry: 3 }, async () => {
  const { userId, regNo } = await register(urls.undivided, {});
  const { body } = await untilEnded(stack.url, stack.projects[0], regNo);
  expect(body['status']).toBe('BANK_ACC_REGISTERED');
  const { events } = await handleOf(userId).fetchHistory();
  const tasks = events!.filter((event) => event.workflowTaskCompletedEventAttributes);
  expect([events!.length, tasks.length]).toEqual([40, 6]);
  const architecture = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  expect(architecture).toContain('40 events in six workflow tasks');
});

it.concurrent.for([
  ['NO_ANSWER', '01012340001', 2 * minute],
  ['BUSY', '01012340091', 3 * minute],
  ['CARRIER_ERROR', '01012340095', minute],
] as const)('calls a second time after %s, and not a third time', async ([, mobileNumber, wait]) => {
  const { regNo } = await register(urls.minutes, { mobileNumber });
  const { body } = await untilEnded(stack.url, stack.projects[0], regNo);
  expect(body['status']).toBe('ARS_AUTH_FAILED');
  const placed = await timesOf(regNo, 'ARS_CALL_PLACED');
  const [firstEnd] = await timesOf(regNo, 'ARS_CALL_ENDED');
  expect(placed).toHaveLength(2);
  expect(placed[1]! - firstEnd!).toBeGreaterThanOrEqual(wait / forMinutes);
});

it.concurrent('asks an operator when the outcome has been unknown for a day', async () => {
  const { userId, regNo } = await register(urls.days, { bankAccount: undecidedAccount });
  await expect.poll(() => timesOf(regNo, 'REVIEW_BEGUN'), { timeout: 90_000 }).toHaveLength(1);
  const [attemptedAt] = await timesOf(regNo, 'REGISTRATION_ATTEMPTED');
  const [inquiredAt] = await timesOf(regNo, 'REGISTRATION_INQUIRED');
  const [reviewedAt] = await timesOf(regNo, 'REVIEW_BEGUN');
  const [storedAt] = await timesOf(regNo, 'CONSENT_EVIDENCE_STORED');
  expect(reviewedAt! - storedAt!).toBeGreaterThanOrEqual(day / forDays);
  expect(inquiredAt).toBeGreaterThan(attemptedAt!);
  const resolution = {
    verdict: 'NOT_REGISTERED',
    operator: 'the test',
    reason: 'It was looked up.',
  } as const;
  await handleOf(userId).executeUpdate(resolveReviewUpdate, { args: [resolution] });
  expect(await handleOf(userId).result()).toEqual({ status: 'BANK_ACC_REG_FAILED', resultCode: '002_912' });
}, 150_000);

it.concurrent('notifies eleven times over three days, then gives up', async () => {
  const [, project] = stack.projects;
  const receiver = await startNotificationReceiver();
  try {
    receiver.answerWith({ status: 503 });
    await stack.stores.projects.setNotificationUrl(project.aspId, receiver.url);
    const request = registration(project, 0);
    const { body } = await callEncrypted(urls.days, project, '/ars/register', request);
    const regNo = String(body['bankAccRegNo']);
    const deliveries = stack.temporal.workflow.getHandle(notificationWorkflowId(regNo));
    const end = () => deliveries.result().catch(() => 'NOT_STARTED');
    await expect.poll(end, { timeout: 150_000 }).toBe('EXHAUSTED');
    expect(receiver.received).toHaveLength(11);
    const [first, last] = [receiver.received.at(0)!.at, receiver.received.at(-1)!.at];
    expect(last - first).toBeGreaterThanOrEqual((3 * day) / forDays);
  } finally {
    receiver.close();
  }
}, 180_000);
