import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { registrationTimelineQuery } from '../../contract/registration-messages.ts';
import type { RegistrationOutcome } from '../../contract/registration.ts';
import type { RegistrationRecord } from '../../database/registrations.ts';
import { createLog } from '../../runtime/log.ts';
import { sweep } from '../../runs/sweep.ts';
import { isTransient } from '../../runtime/transient-errors.ts';
import { operate } from '../fixtures/operate.ts';
import { sendCallback } from '../fixtures/payment-gateway-callback.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import { resetRun } from '../fixtures/reset-run.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration } from '../fixtures/wire-client.ts';
import { expectationOf } from './model.ts';
import { createScriptedPaymentGateway, numbersOf } from './scripted-payment-gateway.ts';
import type { World } from './scripted-payment-gateway.ts';
import { script } from './script.ts';
import type { Script, ScriptedMessage } from './script.ts';

/** How many scripts are played concurrently, and how often. */
const [concurrency, rounds] = [15, 4];
/** How long a request may stay unanswered on a busy machine, in ms. */
const patience = 60_000;
/** The total time for playing scripts, in ms. After a failure, the rest is used to shrink the script. */
const timeLimit = 240_000;

const policy: RegistrationPolicy = {
  ...sandboxPolicy,
  arsCall: {
    ...sandboxPolicy.arsCall,
    callAgainWait: { NO_ANSWER: 100, BUSY: 0 },
    firstInquiryAfter: 300,
    maxInquiryInterval: 1_000,
  },
  effects: { sendLimit: 1_000, settleTime: 600, maxAttempts: 5 },
  paymentGatewayRegistration: {
    firstInquiryAfter: 100,
    maxInquiryInterval: 400,
    reviewAfter: 60_000,
  },
};
/** For scripts in which an operator must decide. */
const reviewingPolicy: RegistrationPolicy = {
  ...policy,
  paymentGatewayRegistration: { ...policy.paymentGatewayRegistration, reviewAfter: 3_000 },
};

let stack: Stack;
let impatientApi: string;
let nextScript = 0;
const gateway = createScriptedPaymentGateway(async (callback) => {
  for (const deadline = Date.now() + patience; ;) {
    const status = await sendCallback(stack, callback);
    if (status === 200) return;
    if (status !== 503 || Date.now() > deadline) {
      throw new Error(`A callback was answered with HTTP ${status}.`);
    }
    await delay(500);
  }
});
beforeAll(async () => {
  stack = await startStack({ policy, intercept: injectFaults(() => gateway.paymentGateway) });
  impatientApi = await stack.startAnotherApi({ policy: reviewingPolicy });
});
afterAll(() => stack.close());

const cancelled: RegistrationOutcome = { status: 'BANK_ACC_REG_FAILED', resultCode: '002_914' };

interface Run {
  readonly userId: string;
  readonly registrationNumber: string;
}

const handleOf = ({ userId }: Run) => stack.temporal.workflow.getHandle(userId);

/** Retries transient errors: they come from a busy machine, not from the run. */
async function ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  for (const deadline = Date.now() + patience; ;) {
    try {
      return await question();
    } catch (error) {
      if (!isTransient(error) || Date.now() > deadline) throw error;
    }
  }
}

it(
  'ends as the model requires, whatever callbacks, lost answers and messages there are',
  { timeout: 300_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(script, { minLength: concurrency, maxLength: concurrency }),
        async (scripts) => {
          await Promise.all(scripts.map(play));
          expect(gateway.errors).toEqual([]);
        },
      ),
      // Each run plays different scripts. fast-check prints the seed and the path of a failure.
      { numRuns: rounds, interruptAfterTimeLimit: timeLimit, markInterruptAsFailure: true },
    );
  },
);

/** Registers a member while its script is played, and compares the end with the model. */
async function play(played: Script): Promise<void> {
  const number = nextScript++;
  const world = gateway.prepare(number, played);
  const project = stack.projects[0];
  const request = registration(project, number % project.members.length, numbersOf(number));
  const url = played.staysUnknown ? impatientApi : stack.url;
  const { body } = await call(url, project, '/ars/register', request);
  const run = { userId: String(request['userId']), registrationNumber: String(body['bankAccRegNo']) };

  const operator = new AbortController();
  const reviewing = resolveReviews(run, world, operator.signal);
  let replies: readonly unknown[];
  let ended: RegistrationRecord;
  try {
    replies = await Promise.all(played.messages.map((message) => sendMessage(run, world, message)));
    ended = await untilEnded(run, played);
  } finally {
    operator.abort();
    await reviewing;
  }
  await compare(run, world, replies.includes('CANCELLED'), ended);
}

const rowOf = async ({ registrationNumber }: Run): Promise<RegistrationRecord> =>
  (await stack.stores.registrations.findAny(registrationNumber))!;

/**
 * A run that was reset or terminated is not the one that ends the registration, so its row is asked. Until then the
 * registration is resumed again and again, which a run that is alive does not notice.
 */
async function untilEnded(run: Run, played: Script): Promise<RegistrationRecord> {
  for (const deadline = Date.now() + patience * 2; ;) {
    const row = await rowOf(run);
    if (row.endedAt) return row;
    if (Date.now() > deadline) throw new Error(`did not end: ${JSON.stringify({ row, played }, null, 1)}`);
    if (wasDisturbed(played)) await resume(run);
    await delay(100);
  }
}

function wasDisturbed({ messages: sent }: Script): boolean {
  return sent.some(({ kind }) => kind === 'TERMINATE' || kind.startsWith('RESET'));
}

async function resume({ registrationNumber }: Run): Promise<void> {
  await delay(1_000);
  await stack.stores.registrations.makeOverdue(registrationNumber);
  await ask(() => sweep({ ...stack, log: createLog('sweep', 'silent') }));
}

async function compare(
  run: Run,
  world: World,
  isCancelled: boolean,
  { status, resultCode, timeline }: RegistrationRecord,
): Promise<void> {
  const { script: played, rings, registerCalls, ledgerEntries } = world;
  const ended = timeline.filter(({ step, outcome }) => step === 'ARS_CALL_ENDED' && outcome !== 'NOT_PLACED');
  const calls = ended.map(({ outcome }) => outcome);
  const accounts = await stack.stores.accounts.listOf(run.userId);
  const evidence = await stack.stores.consentEvidence.find(run.registrationNumber);
  const happened = {
    played,
    result: { status, resultCode },
    calls,
    registerCalls,
    ledgerEntries,
    activeAccounts: accounts.filter(
      ({ state, registrationNumber }) => state === 'ACTIVE' && registrationNumber === run.registrationNumber,
    ).length,
    maxRings: Math.max(1, ...rings.values()),
    isWithoutEvidence: registerCalls > 0 && evidence?.attempt !== ended.at(-1)?.attempt,
  };
  const always = { played, maxRings: 1, isWithoutEvidence: false };
  const expected = expectationOf(played);
  const entries = expected.isRegistered ? 1 : 0;
  expect(happened).toEqual(
    isCancelled
      ? { ...always, result: cancelled, calls, registerCalls: 0, ledgerEntries: 0, activeAccounts: 0 }
      : {
          ...always,
          result: expected.result,
          calls: expected.calls,
          registerCalls: expected.attempts,
          ledgerEntries: entries,
          activeAccounts: entries,
        },
  );
  const history = await handleOf(run).fetchHistory();
  await Worker.runReplayHistory(stack.replayOptions, history, run.userId);
}

/** Resolves reviews like an operator who looks the registration up at the payment gateway. */
async function resolveReviews(run: Run, world: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(200);
    const { step } = await rowOf(run);
    if (step === 'REVIEW' && world.pending === 0) await resolve(run, world);
  }
}

/** Resolves a review truthfully. Refused, without effect, unless the registration is in review. */
async function resolve({ registrationNumber }: Run, world: World): Promise<void> {
  const verdict = world.ledgerEntries > 0 ? 'REGISTERED' : 'NOT_REGISTERED';
  const reason = ['--reason', 'looked up', '--despite-payment-gateway'];
  const service = { ...stack, simulated: { ...stack.simulated, ...gateway.paymentGateway } };
  await operate(service, 'resolve', '--number', registrationNumber, '--verdict', verdict, ...reason);
}

/** @returns `CANCELLED` if it cancelled the registration */
async function sendMessage(run: Run, world: World, { delayMs, kind }: ScriptedMessage): Promise<unknown> {
  await delay(delayMs);
  return await messages[kind](run, world);
}

const otherNumber = ({ registrationNumber }: Run) =>
  registrationNumber.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
/** A run that has ended accepts no messages. */
const ignore = () => {};

const messages: Record<ScriptedMessage['kind'], (run: Run, world: World) => Promise<unknown>> = {
  CANCEL: async ({ registrationNumber: regNo }) => {
    const { body } = await call(stack.url, stack.projects[0], '/ars/register/cancel', {
      regNo,
      action: 'cancel',
    });
    return body.response.code === '000_000' ? 'CANCELLED' : body.response.code;
  },
  FOREIGN_CALL: (run) =>
    sendCallback(stack, {
      type: 'ARS',
      reference: otherNumber(run),
      attempt: 1,
      callId: 'OFANOTHERONE',
      state: 'FAILED',
      outcome: 'WRONG_CODE',
    }),
  FOREIGN_VERDICT: (run) =>
    sendCallback(stack, {
      type: 'REGISTRATION',
      reference: otherNumber(run),
      state: 'REFUSED',
      reason: 'ACCOUNT_SEIZED',
    }),
  RESOLVE: (run, world) => resolve(run, world).catch(ignore),
  TIMELINE: (run) => ask(() => handleOf(run).query(registrationTimelineQuery)).catch(ignore),
  RESET_FIRST: (run) => resetRun(stack.temporal, run.userId, 'FIRST').catch(ignore),
  RESET_LAST: (run) => resetRun(stack.temporal, run.userId, 'LAST').catch(ignore),
  TERMINATE: (run) => handleOf(run).terminate('the test').catch(ignore),
  GARBAGE: async (run) => {
    const handle = handleOf(run);
    await handle.signal('wake', { verdict: 'REGISTERED' }).catch(ignore);
    await handle.signal('paymentGatewayDecided', { state: 'REGISTERED' }).catch(ignore);
    await handle.executeUpdate('resolveReview', { args: [null] }).catch(ignore);
  },
};
