import { readFileSync } from 'node:fs';
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { memberWorkflowId, notificationWorkflowId } from '../../contract/registration.ts';
import { productionPolicy } from '../../contract/registration-policy.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { effects } from '../../database/schema.ts';
import { createDataConverter } from '../../encryption/data-converter.ts';
import { answerPhone } from '../fixtures/phone.ts';
import { divideTimes } from '../fixtures/divided-policy.ts';
import { operate } from '../fixtures/operate.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, callEncrypted, registration, untilEnded } from '../fixtures/wire-client.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** What every time is divided by: three days become 52 s, and every time remains a whole number of ms. */
const factor = 5_000;

const divide = (time: number) => time / factor;

/** Production's policy without calling hours. */
const atAnyHour: RegistrationPolicy = {
  ...productionPolicy,
  arsCall: { ...productionPolicy.arsCall, callingHours: { from: 0, until: day } },
};
/** An account whose registration the payment gateway accepts and never decides. */
const undecidedAccount = '11012340001';

let stack: Stack;
let divided: string;
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
  divided = await stack.startAnotherApi({ policy: divideTimes(atAnyHour, factor) });
});
afterAll(() => stack.close());

async function register(url: string, overrides: Readonly<Record<string, unknown>>) {
  const [project] = stack.projects;
  // An account of its own: calls for one account are limited.
  const bankAccount = `11012345${100 + nextMember}`;
  const request = registration(project, nextMember++, { bankAccount, ...overrides });
  const { body } = await call(url, project, '/ars/register', request);
  expect(body.response.code).toBe('000_000');
  const [userId, regNo] = [String(request['userId']), String(body['bankAccRegNo'])];
  return { userId, regNo, authNumber: String(body['authNumber']) };
}

const handleOf = (userId: string) => stack.temporal.workflow.getHandle(memberWorkflowId(userId));

async function timelineOf(regNo: string) {
  const { body } = await call(stack.url, stack.projects[0], '/ars/register/timeline', { regNo });
  return body['steps'] as { step: string; at: string; attempt: number; outcome: string }[];
}

/** The effects of a registration, by kind and attempt. */
async function effectsOf(regNo: string) {
  return await stack.database.queries
    .select()
    .from(effects)
    .where(eq(effects.registrationNumber, regNo))
    .orderBy(effects.kind, effects.attempt);
}

/** A timer as Temporal has recorded it. `decidedAt`: the run's own time when it started the timer; both in ms. */
interface Timer {
  readonly summary: string;
  readonly length: number;
  readonly decidedAt: number;
}

const milliseconds = ({ seconds, nanos }: Duration) => Number(seconds ?? 0) * second + (nanos ?? 0) / 1e6;
interface Duration {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

/** The timers of a run, in their order. */
async function timersOf(run: WorkflowHandle): Promise<Timer[]> {
  const { events } = await run.fetchHistory();
  const codec = createDataConverter(stack.payloadKeys).payloadCodecs![0]!;
  const find = (eventId: unknown) => events!.find((event) => Number(event.eventId) === Number(eventId))!;
  const timers = events!.filter(({ timerStartedEventAttributes }) => timerStartedEventAttributes);
  return await Promise.all(
    timers.map(async ({ timerStartedEventAttributes: timer, userMetadata }) => {
      const [summary] = await codec.decode([userMetadata!.summary!]);
      const completed = find(timer!.workflowTaskCompletedEventId).workflowTaskCompletedEventAttributes!;
      return {
        summary: defaultPayloadConverter.fromPayload<string>(summary!),
        length: milliseconds(timer!.startToFireTimeout!),
        decidedAt: milliseconds(find(completed.startedEventId).eventTime!),
      };
    }),
  );
}

it('needs 20 history events and 3 workflow tasks for a plain registration', async () => {
  // A callback may reach the run before it waits for one, which saves a task: this phone is answered once it waits.
  const { userId, regNo, authNumber } = await register(stack.url, { mobileNumber: '01012340008' });
  const run = handleOf(userId);
  const lastEvent = async () => (await run.fetchHistory()).events!.at(-1)!;
  await expect
    .poll(lastEvent, { timeout: 20_000 })
    .toMatchObject({ timerStartedEventAttributes: expect.anything() });
  await answerPhone(stack.simulatorUrl, regNo, authNumber);
  const { body } = await untilEnded(stack.url, stack.projects[0], regNo);
  expect(body['status']).toBe('BANK_ACC_REGISTERED');
  await run.result();
  const { events } = await run.fetchHistory();
  const tasks = events!.filter((event) => event.workflowTaskCompletedEventAttributes);
  expect([events!.length, tasks.length]).toEqual([20, 3]);
  const architecture = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  expect(architecture).toContain('20 events in three workflow tasks');
});

it.concurrent.for([
  ['NO_ANSWER', '01012340001', 2 * minute],
  ['BUSY', '01012340091', 3 * minute],
  ['CARRIER_ERROR', '01012340095', minute],
] as const)('calls a second time after %s, and not a third time', async ([outcome, mobileNumber, wait]) => {
  const { userId, regNo } = await register(divided, { mobileNumber });
  expect(await handleOf(userId).result()).toMatchObject({ status: 'ARS_AUTH_FAILED' });
  const calls = (await timelineOf(regNo)).filter(({ step }) => step.startsWith('ARS_CALL'));
  expect(calls).toMatchObject([
    { step: 'ARS_CALL_PLACED', attempt: 1 },
    { step: 'ARS_CALL_ENDED', attempt: 1, outcome },
    { step: 'ARS_CALL_PLACED', attempt: 2 },
    { step: 'ARS_CALL_ENDED', attempt: 2, outcome },
  ]);
  const [firstCall, secondCall] = await effectsOf(regNo);
  expect(secondCall!.sentAt.getTime() - firstCall!.decidedAt!.getTime()).toBeGreaterThanOrEqual(divide(wait));
  const between = (await timersOf(handleOf(userId))).filter(({ summary }) => summary.includes('next call'));
  expect(between.every(({ length }) => length <= divide(wait))).toBe(true);
});

it.concurrent('asks an operator when the outcome has been unknown for a day', async () => {
  const { userId, regNo } = await register(divided, { bankAccount: undecidedAccount });
  const run = handleOf(userId);
  const steps = async () => (await timelineOf(regNo)).map(({ step }) => step);
  await expect.poll(steps, { timeout: 90_000 }).toContain('REVIEW_BEGUN');

  const inquiries = (await timersOf(run)).filter(({ summary }) => summary.includes('else inquire'));
  // The first waits are that of the call and that of the attempt, whose answer took a part of it. Each further one is
  // twice as long as the one before, up to five minutes.
  const growing = [20, 40, 80, 160].map((seconds) => divide(seconds * second));
  const timeline = await timelineOf(regNo);
  const begun = timeline.findIndex(({ step }) => step === 'REVIEW_BEGUN');
  const [lastInquiry, review] = [timeline[begun - 1]!, timeline[begun]!];
  // The waits of the review are longer. A timer that ends a moment before the database's clock says so is followed by one
  // for the rest.
  const lengths = inquiries
    .slice(2)
    .map(({ length }) => length)
    .filter((length) => length >= growing[0]!)
    .slice(0, lastInquiry.attempt - 1);
  const constant = Array.from({ length: lengths.length - growing.length }, () => divide(5 * minute));
  expect(lengths).toEqual([...growing, ...constant]);
  // The day begins with the first attempt, whoever asks and in which run.
  const [attempt] = (await effectsOf(regNo)).filter(({ kind }) => kind === 'REGISTRATION');
  expect(Date.parse(review.at)).toBeGreaterThanOrEqual(attempt!.sentAt.getTime() + divide(day));
  expect(lastInquiry).toMatchObject({ step: 'REGISTRATION_INQUIRED', at: review.at });
  const attempts = timeline.filter(({ step }) => step === 'REGISTRATION_ATTEMPTED');
  expect(attempts).toMatchObject([{ attempt: 1, outcome: 'ACCEPTED' }]);
  const said = ['--reason', 'It was looked up.', '--despite-payment-gateway'];
  await operate(stack, 'resolve', '--number', regNo, '--verdict', 'NOT_REGISTERED', ...said);
  expect(await run.result()).toEqual({ status: 'BANK_ACC_REG_FAILED', resultCode: '002_912' });
}, 150_000);

it.concurrent('notifies eleven times over three days, then gives up', async () => {
  const [, project] = stack.projects;
  const receiver = await startNotificationReceiver();
  try {
    receiver.answerWith({ status: 503 });
    await stack.stores.projects.setNotificationUrl(project.aspId, receiver.url);
    const request = registration(project, 0);
    const { body } = await callEncrypted(divided, project, '/ars/register', request);
    const regNo = String(body['bankAccRegNo']);
    const deliveries = stack.temporal.workflow.getHandle(notificationWorkflowId(regNo));
    const end = () => deliveries.result().catch(() => 'NOT_STARTED');
    await expect.poll(end, { timeout: 150_000 }).toBe('EXHAUSTED');
    expect(receiver.received).toHaveLength(11);

    const [first, ...waits] = productionPolicy.resultNotification.waits;
    expect([first, waits.length]).toEqual([0, 10]);
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThanOrEqual(3 * day);
    const timers = await timersOf(deliveries);
    expect(timers.map(({ summary }) => summary)).toEqual(
      waits.map((_, index) => `Wait before delivery ${index + 2}`),
    );
    // Each wait is lengthened by up to a tenth at random.
    for (const [index, wait] of waits.entries()) {
      expect(timers[index]!.length).toBeGreaterThanOrEqual(divide(wait));
      expect(timers[index]!.length).toBeLessThanOrEqual(Math.round(divide(wait) * 1.1));
    }
  } finally {
    receiver.close();
  }
}, 180_000);
