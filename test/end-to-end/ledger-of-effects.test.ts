import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { and, eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { memberWorkflowId, removalWorkflowId } from '../../contract/registration.ts';
import { registrationStateQuery, registrationTimelineQuery } from '../../contract/registration-messages.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { createLog } from '../../runtime/log.ts';
import { startRegistrationRun } from '../../runs/registration-run.ts';
import { startFollowUp } from '../../runs/follow-ups.ts';
import { sweep } from '../../runs/sweep.ts';
import { NothingSent, PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import { codes } from '../../wire/result-codes.ts';
import { createHold } from '../fixtures/hold.ts';
import { impatientPolicy } from '../fixtures/impatient-policy.ts';
import { membersOf, ringing } from '../fixtures/members-of-stack.ts';
import type { Started } from '../fixtures/members-of-stack.ts';
import { operate } from '../fixtures/operate.ts';
import { sendCallback } from '../fixtures/payment-gateway-callback.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { reseal } from '../fixtures/reseal.ts';
import { resetRun } from '../fixtures/reset-run.ts';
import { queueRemoval } from '../../database/accounts.ts';
import { effects, memberKeys, registrations } from '../../database/schema.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration } from '../fixtures/wire-client.ts';

let stack: Stack;
let faults: PaymentGatewayFaults = {};
beforeAll(async () => {
  stack = await startStack({ intercept: injectFaults(() => faults) });
});
afterEach(() => {
  faults = {};
});
afterAll(() => stack.close());

const log = createLog('sweep', 'silent');
const unavailable = () => Promise.reject(new PaymentGatewayUnavailable('It is away, says the test.'));

const {
  addRow,
  callsOf,
  ended,
  nextMember,
  pickUp,
  post,
  register,
  registrationsOf,
  rowOf: findRow,
  simulated,
  untilRinging,
} = membersOf(() => stack);
const rowOf = async (started: Started) => (await findRow(started))!;

/** A registration of which the payment gateway tells nothing. */
async function reachReview(): Promise<Started> {
  faults = { register: unavailable, inquireRegistration: unavailable };
  const started = await register({}, { url: await stack.startAnotherApi({ policy: impatientPolicy }) });
  await untilStep(started, 'REVIEW');
  return started;
}

/** The type of the failure for which the run's activity is tried again; or how the run has closed. */
async function failureOf(run: WorkflowHandle): Promise<string> {
  const { raw, status } = await run.describe();
  const [pending] = raw.pendingActivities ?? [];
  return pending?.lastFailure?.applicationFailureInfo?.type ?? `no failure, ${status.name}`;
}

const runOf = ({ userId }: Started) => stack.temporal.workflow.getHandle(memberWorkflowId(userId));
const untilStep = (started: Started, step: string) =>
  expect.poll(async () => (await rowOf(started)).step, { timeout: 20_000 }).toBe(step);
const cancel = async ({ regNo }: Started) =>
  (await call(stack.url, stack.projects[0], '/ars/register/cancel', { regNo, action: 'cancel' })).body
    .response.code;

/** Waits until the latest run of the member has closed. */
async function untilClosed(started: Started): Promise<void> {
  await vi.waitFor(async () => {
    const { status } = await runOf(started).describe();
    expect(status.name).not.toBe('RUNNING');
  }, 20_000);
}

describe('a reset run', () => {
  it('of a registered account neither rings nor registers again', async () => {
    const started = await register();
    expect((await ended(started))['status']).toBe('BANK_ACC_REGISTERED');
    await runOf(started).result();
    await resetRun(stack.temporal, started.userId, 'FIRST');
    expect(await runOf(started).result()).toEqual({
      status: 'BANK_ACC_REGISTERED',
      resultCode: '000_000',
    });
    expect(await callsOf(started)).toHaveLength(1);
    expect(await registrationsOf(started)).toEqual([expect.objectContaining({ registerCalls: 1 })]);
  });

  it('goes on with the call that is under way', async () => {
    const started = await register(ringing);
    await untilRinging(started);
    await vi.waitFor(() => resetRun(stack.temporal, started.userId, 'FIRST'), 10_000);
    await pickUp(started);
    expect((await ended(started))['status']).toBe('BANK_ACC_REGISTERED');
    expect(await callsOf(started)).toHaveLength(1);
  });

  it('of an older number changes nothing, and the sweep replaces the newer run that Temporal ends for it', async () => {
    const member = nextMember();
    const older = await register({}, { member });
    await ended(older);
    await runOf(older).result();
    const { runId } = await runOf(older).describe();
    const newer = await register(ringing, { member });
    await untilRinging(newer);
    const runOfNewer = stack.temporal.workflow.getHandle(
      memberWorkflowId(newer.userId),
      (await runOf(newer).describe()).runId,
    );
    await resetRun(stack.temporal, older.userId, 'FIRST', runId);
    expect((await runOfNewer.describe()).status.name).toBe('TERMINATED');
    await untilClosed(older);

    await stack.stores.registrations.makeOverdue(newer.regNo);
    await sweep({ ...stack, log });
    await pickUp(newer);
    expect((await ended(newer))['status']).toBe('BANK_ACC_REGISTERED');
    for (const started of [older, newer]) expect(await callsOf(started)).toHaveLength(1);
    expect(await registrationsOf(older)).toEqual(
      [older, newer].map(({ regNo }) => expect.objectContaining({ bankAccRegNo: regNo, registerCalls: 1 })),
    );
  });
});

describe('what is sent to a run', () => {
  it('decides nothing and jams nothing', async () => {
    const started = await register(ringing);
    await untilRinging(started);
    const run = runOf(started);
    await run.signal('wake');
    await run.signal('wake', null);
    await run.signal('arsCallEnded', { attempt: 1, outcome: 'PASSED' });
    await run.signal('paymentGatewayDecided', { verdict: { state: 'REGISTERED' } });
    await expect(run.executeUpdate('resolveReview', { args: [null] })).rejects.toThrow(/update/i);
    expect((await rowOf(started)).step).toBe('ARS_CALL');
    expect(await cancel(started)).toBe('000_000');
    await untilClosed(started);
    expect(await run.result()).toEqual({ status: 'BANK_ACC_REG_FAILED', resultCode: '002_914' });
  });

  it('starts nothing under a workflow ID that is not the member’s', async () => {
    const started = await register(ringing);
    await untilRinging(started);
    const stranger = await stack.temporal.workflow.start('registerWithdrawalAccount', {
      workflowId: 'a-stranger',
      taskQueue: 'withdrawal-account-registration',
      args: [{ registrationNumber: started.regNo }],
    });
    await expect
      .poll(async () => (await stranger.describe()).status.name, { timeout: 20_000 })
      .toBe('FAILED');
    expect((await rowOf(started)).step).toBe('ARS_CALL');
    await cancel(started);
  });

  it('removes no account that nobody has replaced or deleted', async () => {
    const started = await register();
    await ended(started);
    const removal = await stack.temporal.workflow.start('removeAccount', {
      workflowId: removalWorkflowId(started.regNo),
      taskQueue: 'withdrawal-account-registration',
      args: [{ registrationNumber: started.regNo }],
    });
    await removal.result();
    expect(await simulated(`registrations?userId=${started.userId}`)).toMatchObject([
      { state: 'REGISTERED' },
    ]);
  });

  it('removes no account in use, although somebody has written that into the ledger', async () => {
    const started = await register();
    await ended(started);
    await queueRemoval(stack.database.queries, started.regNo);
    await startFollowUp(stack.temporal, { kind: 'REMOVAL', registrationNumber: started.regNo });
    const removal = stack.temporal.workflow.getHandle(removalWorkflowId(started.regNo));
    await expect.poll(() => failureOf(removal), { timeout: 20_000 }).toBe('AlteredRow');
    expect(await registrationsOf(started)).toMatchObject([{ state: 'REGISTERED' }]);
    await removal.terminate();
  });

  it('registers no account for auto charge unless a request ordered it', async () => {
    const started = await register();
    await ended(started);
    await untilClosed(started);
    const run = await stack.temporal.workflow.start('registerAutoCharge', {
      workflowId: memberWorkflowId(started.userId),
      taskQueue: 'withdrawal-account-registration',
      args: [{ userId: started.userId }],
    });
    expect(await run.result()).toEqual({ resultCode: '002_916' });
    const isOffered = async () =>
      (await post('/inquiry', { userId: started.userId }))['isAutoRcgAccRegAllowed'];
    expect(await isOffered()).toBe(true);
    await post('/as-rcg-svc/ars/register', { userId: started.userId });
    expect(await isOffered()).toBe(false);
  });

  it('removes no account while an attempt of its number may still arrive', async () => {
    const started = await register();
    await ended(started);
    const settle = (at: Date) =>
      stack.database.queries
        .update(effects)
        .set({ settledAt: at })
        .where(and(eq(effects.registrationNumber, started.regNo), eq(effects.kind, 'REGISTRATION')));
    await settle(new Date(Date.now() + 3_600_000));
    expect((await post('/delete', { userId: started.userId })).response.code).toBe('000_000');
    const removal = stack.temporal.workflow.getHandle(removalWorkflowId(started.regNo));
    await expect.poll(() => failureOf(removal), { timeout: 20_000 }).toBe('NotSettled');
    expect(await registrationsOf(started)).toMatchObject([{ state: 'REGISTERED' }]);
    await settle(new Date());
    await removal.terminate();
    await startFollowUp(stack.temporal, { kind: 'REMOVAL', registrationNumber: started.regNo });
    await expect
      .poll(async () => (await registrationsOf(started))[0]?.['state'], { timeout: 20_000 })
      .toBe('REMOVED');
  });

  it.each(['registerWithdrawalAccount', 'removeAccount', 'registerAutoCharge', 'deliverResultNotification'])(
    'blocks no member: %s without its input fails',
    async (workflowType) => {
      const member = nextMember();
      const { userId } = stack.projects[0].members[member]!;
      const run = await stack.temporal.workflow.start(workflowType, {
        workflowId: memberWorkflowId(userId),
        taskQueue: 'withdrawal-account-registration',
      });
      const status = async () => (await run.describe()).status.name;
      await expect.poll(status, { timeout: 20_000 }).toBe('FAILED');
      const started = await register(ringing, { member });
      expect(await cancel(started)).toBe('000_000');
    },
  );

  it('keeps no member from registering: whatever runs under the member’s ID is ended by resume', async () => {
    const member = nextMember();
    const { userId } = stack.projects[0].members[member]!;
    const startStranger = () =>
      stack.temporal.workflow.start('anything', {
        workflowId: memberWorkflowId(userId),
        taskQueue: 'nowhere',
      });
    const statusOf = async (run: Awaited<ReturnType<typeof startStranger>>) =>
      (await stack.temporal.workflow.getHandle(run.workflowId, run.firstExecutionRunId).describe()).status
        .name;
    const resume = () => operate(stack, 'resume', '--user', userId);

    const before = await startStranger();
    const { body } = await call(
      stack.url,
      stack.projects[0],
      '/ars/register',
      registration(stack.projects[0], member),
    );
    expect(body.response.code).toBe('002_013');
    const freed = await resume();
    expect(await statusOf(before)).toBe('TERMINATED');
    expect(freed).toMatchObject({ exitCode: 0, output: expect.stringContaining('Nothing runs') });

    const started = await register(ringing, { member });
    await untilRinging(started);
    await runOf(started).terminate('the test');
    const beside = await startStranger();
    expect(await resume()).toMatchObject({ exitCode: 0, output: expect.stringContaining('has a new run') });
    expect(await statusOf(beside)).toBe('TERMINATED');
    await pickUp(started);
    expect((await ended(started))['status']).toBe('BANK_ACC_REGISTERED');
    expect(await callsOf(started)).toHaveLength(1);
    expect(await operate(stack, 'resume', '--user', 'nobody')).toMatchObject({ exitCode: 1 });
  });

  it('keeps no member from registering: a run that is stuck after the end is terminated', async () => {
    const started = await register(ringing);
    await untilRinging(started);
    await stack.stopWorker();
    expect(await cancel(started)).toBe('000_000');
    const resumed = await operate(stack, 'resume', '--number', started.regNo);
    expect(resumed).toMatchObject({ exitCode: 0, output: expect.stringContaining('is terminated') });
    expect((await runOf(started).describe()).status.name).toBe('TERMINATED');
    expect(await operate(stack, 'resume', '--number', started.regNo)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('needs no run'),
    });
    await stack.startWorker();
  });
});

it('a withdrawn registration whose run is still open is a running operation without a number', async () => {
  const started = await register(ringing);
  await untilRinging(started);
  await stack.stopWorker();
  await stack.database.queries.delete(effects).where(eq(effects.registrationNumber, started.regNo));
  const { timeline } = await rowOf(started);
  const notBegun = { begunAt: null, step: 'ACCOUNT_HOLDER_CHECK', timeline: timeline.slice(0, 1) } as const;
  const ofIt = eq(registrations.registrationNumber, started.regNo);
  await stack.database.queries.update(registrations).set(notBegun).where(ofIt);
  await reseal(stack);
  expect(await stack.stores.registrations.withdraw(started.regNo)).toBe(true);
  const project = stack.projects[0];
  const member = project.members.findIndex(({ userId }) => userId === started.userId);
  const { body } = await call(stack.url, project, '/ars/register', registration(project, member));
  expect(body).toMatchObject({ response: { code: '002_013' } });
  expect(body).not.toHaveProperty('bankAccRegNo');
  await runOf(started).terminate();
  await stack.startWorker();
});

it('a registration is accepted although the answer to its begin got lost, because it goes on', async () => {
  const { registrations: store } = stack.stores;
  const begin = async (registrationNumber: string) => {
    await store.begin(registrationNumber);
    throw new Error('The answer got lost, says the test.');
  };
  const stores = { ...stack.stores, registrations: { ...store, begin } };
  const started = await register({}, { url: await stack.startAnotherApi({ stores }) });
  expect((await ended(started))['status']).toBe('BANK_ACC_REGISTERED');
});

describe('a registration without a run', () => {
  it('gets a new one, which rings no second time', async () => {
    const started = await register(ringing);
    await untilRinging(started);
    await runOf(started).terminate('the test');
    const { exitCode, output } = await operate(stack, 'resume', '--number', started.regNo);
    expect([exitCode, output]).toEqual([0, expect.stringContaining('has a new run')]);
    await pickUp(started);
    expect((await ended(started))['status']).toBe('BANK_ACC_REGISTERED');
    expect(await callsOf(started)).toHaveLength(1);
  });

  it('gets a new one, which asks about the open attempt and registers no second time', async () => {
    // The payment gateway takes 3 s to decide.
    const started = await register({ bankAccount: '11012349006' });
    const steps = async () => (await rowOf(started)).timeline.map(({ step }) => step);
    await expect.poll(steps, { timeout: 20_000 }).toContain('REGISTRATION_ATTEMPTED');
    await runOf(started).terminate('the test');
    await operate(stack, 'resume', '--number', started.regNo);
    expect((await ended(started))['status']).toBe('BANK_ACC_REGISTERED');
    expect(await registrationsOf(started)).toEqual([expect.objectContaining({ registerCalls: 1 })]);
  });

  it('is found by the sweep once its run was not heard of for too long', async () => {
    const started = await register(ringing);
    await untilRinging(started);
    await runOf(started).terminate('the test');
    const parts = { ...stack, log };
    await sweep(parts);
    expect((await runOf(started).describe()).status.name).toBe('TERMINATED');
    await stack.stores.registrations.makeOverdue(started.regNo);
    await sweep(parts);
    expect((await runOf(started).describe()).status.name).toBe('RUNNING');
    await cancel(started);
  });

  describe('that never began', () => {
    const userIdOf = (member: number) => stack.projects[0].members[member]!.userId;

    it('is withdrawn, and its number is not known to anybody', async () => {
      const { registrationNumber } = await addRow(userIdOf(nextMember()), 'A'.repeat(22));
      const inquire = async () => {
        const { body } = await call(stack.url, stack.projects[0], '/ars/register/inquiry', {
          regNo: registrationNumber,
        });
        return body.response.code;
      };
      expect(await inquire()).toBe('002_019');
      expect(await operate(stack, 'resume', '--number', registrationNumber)).toMatchObject({
        errors: expect.stringContaining('There is no registration'),
      });
      expect(await stack.stores.registrations.withdraw(registrationNumber)).toBe(true);
      expect(await inquire()).toBe('002_019');
      expect(await stack.stores.registrations.begin(registrationNumber)).toBe('WITHDRAWN');
    });

    it('begins before its number is handed out beside a refusal, so it is not withdrawn', async () => {
      await stack.stopWorker();
      const member = nextMember();
      const registrationNumber = 'C'.repeat(22);
      await startRegistrationRun(stack.temporal, await addRow(userIdOf(member), registrationNumber));
      const project = stack.projects[0];
      const { body } = await call(stack.url, project, '/ars/register', registration(project, member));
      expect(body).toMatchObject({ response: { code: '002_013' }, bankAccRegNo: registrationNumber });
      expect(await stack.stores.registrations.withdraw(registrationNumber)).toBe(false);
      await stack.startWorker();
    });
  });
});

describe('a registration whose personal data cannot be opened', () => {
  /** Replaces the run of a registration, after its member's data key is gone. */
  async function resumeWithoutKey(started: Started): Promise<void> {
    await stack.database.queries.delete(memberKeys).where(eq(memberKeys.userId, started.userId));
    await runOf(started).terminate('the test');
    await operate(stack, 'resume', '--number', started.regNo);
  }

  it('waits for the call that is under way', async () => {
    const started = await register(ringing);
    await untilRinging(started);
    await resumeWithoutKey(started);
    const timers = async () =>
      (await runOf(started).fetchHistory()).events!.filter((event) => event.timerStartedEventAttributes);
    await expect.poll(async () => (await timers()).length, { timeout: 20_000 }).toBeGreaterThan(0);
    await pickUp(started);
    expect((await ended(started))['response']).toMatchObject({ code: '002_910' });
    expect(await callsOf(started)).toHaveLength(1);
  });

  it('waits for the attempt to register that is open', async () => {
    faults = {
      register: async () => ({ state: 'ACCEPTED' }),
      inquireRegistration: async () => ({ state: 'IN_PROGRESS' }),
    };
    const started = await register();
    await untilStep(started, 'PAYMENT_GATEWAY_REGISTRATION');
    const attempts = async () => (await rowOf(started)).timeline.map(({ step }) => step);
    await expect.poll(attempts, { timeout: 20_000 }).toContain('REGISTRATION_ATTEMPTED');
    await resumeWithoutKey(started);
    faults = { inquireRegistration: async () => ({ state: 'REGISTERED' }) };
    await expect
      .poll(async () => (await rowOf(started)).status, { timeout: 20_000 })
      .toBe('BANK_ACC_REGISTERED');
  });
});

it('a step that fails while its effect is open is not given up: it is retried where operators see it', async () => {
  const arsCall = { ...sandboxPolicy.arsCall, requestGiveUpAfter: 0 };
  const url = await stack.startAnotherApi({ policy: { ...sandboxPolicy, arsCall } });
  faults = { placeArsCall: () => Promise.reject(new Error('A defect, says the test.')) };
  const started = await register({}, { url });
  const visible = async () =>
    (await runOf(started).fetchHistory()).events!.map(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name,
    );
  await expect.poll(visible, { timeout: 20_000 }).toContain('placeArsCall');
  expect((await rowOf(started)).step).toBe('ARS_CALL');
  expect(await cancel(started)).toBe('000_000');
});

describe('a registration that the sweep finds before its API has begun it', () => {
  /** An API that stands still between the start of a run and its record, while more than two minutes pass. */
  async function registerSlowly() {
    const hold = createHold();
    const begin = async (registrationNumber: string) => {
      await hold.reach();
      return await stack.stores.registrations.begin(registrationNumber);
    };
    const slowly = { ...stack.stores, registrations: { ...stack.stores.registrations, begin } };
    const url = await stack.startAnotherApi({ stores: slowly });
    const request = registration(stack.projects[0], nextMember());
    const answer = post('/ars/register', request, url);
    await hold.reached;
    const ofMember = eq(registrations.userId, String(request['userId']));
    const find = async () => (await stack.database.queries.select().from(registrations).where(ofMember))[0]!;
    const { registrationNumber: regNo, userId } = await find();
    return {
      started: { regNo, userId, code: '' },
      find,
      answerAfterSweep: async () => {
        await stack.database.queries
          .update(registrations)
          .set({ lookAt: new Date(0) })
          .where(ofMember);
        await sweep({ ...stack, log });
        hold.release();
        return await answer;
      },
    };
  }

  it('is withdrawn if its run has not begun either: nobody gets its number, and its run does nothing', async () => {
    await stack.stopWorker();
    const { started, answerAfterSweep } = await registerSlowly();
    const answer = await answerAfterSweep();
    await stack.startWorker();
    expect(answer).toMatchObject({ response: { code: codes.SERVICE_UNAVAILABLE } });
    expect(answer).not.toHaveProperty('bankAccRegNo');
    await untilClosed(started);
    expect(await runOf(started).result()).toEqual({ status: null, resultCode: null });
    expect(await callsOf(started)).toEqual([]);
  });

  it('stays if its run has begun, and ends once', async () => {
    const { started, find, answerAfterSweep } = await registerSlowly();
    await expect.poll(async () => (await find()).begunAt, { timeout: 20_000 }).not.toBeNull();
    expect(await answerAfterSweep()).toMatchObject({
      bankAccRegNo: started.regNo,
      response: { code: '000_000' },
    });
    expect((await ended(started))['status']).toBe('BANK_ACC_REGISTERED');
    expect(await callsOf(started)).toHaveLength(1);
    expect(await registrationsOf(started)).toEqual([expect.objectContaining({ registerCalls: 1 })]);
  });
});

describe('without a worker', () => {
  it('a cancellation and an inquiry are answered, and a deletion is carried out', async () => {
    const registered = await register();
    expect((await ended(registered))['status']).toBe('BANK_ACC_REGISTERED');
    const ringingOne = await register(ringing);
    await untilRinging(ringingOne);
    await stack.stopWorker();
    try {
      expect(await cancel(ringingOne)).toBe('000_000');
      expect((await rowOf(ringingOne)).resultCode).toBe('002_914');
      for (let repeat = 0; repeat < 2; repeat++) {
        const { userId } = registered;
        const { body } = await call(stack.url, stack.projects[0], '/delete', { userId });
        expect(body.response.code).toBe('000_000');
      }
    } finally {
      await stack.startWorker();
    }
    await untilClosed(ringingOne);
    await expect
      .poll(async () => (await registrationsOf(registered))[0]?.['state'], { timeout: 20_000 })
      .toBe('REMOVED');
  });
});

describe('a verdict', () => {
  /** A registration that the payment gateway has carried out, while nobody has learned that. */
  async function untilAccepted(): Promise<Started> {
    faults = {
      register: async (request, signal) => {
        await stack.simulated.register(request, signal);
        return { state: 'ACCEPTED' };
      },
      inquireRegistration: unavailable,
    };
    const started = await register();
    await untilStep(started, 'PAYMENT_GATEWAY_REGISTRATION');
    await expect.poll(() => registrationsOf(started), { timeout: 20_000 }).toHaveLength(1);
    return started;
  }

  it('ends the number in its own transaction, whatever the run does', async () => {
    const started = await untilAccepted();
    await stack.stopWorker();
    try {
      const callback = { type: 'REGISTRATION', reference: started.regNo, state: 'REGISTERED' };
      expect(await sendCallback(stack, callback)).toBe(200);
      expect(await rowOf(started)).toMatchObject({ status: 'BANK_ACC_REGISTERED', step: 'DONE' });
      expect(await cancel(started)).toBe('002_915');
    } finally {
      await stack.startWorker();
    }
    await untilClosed(started);
  });

  it('that a callback brings while Temporal does not answer is not lost, and is acknowledged once it does', async () => {
    const started = await untilAccepted();
    const temporal = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) });
    const url = await stack.startAnotherApi({ temporal });
    const callback = { type: 'REGISTRATION', reference: started.regNo, state: 'REGISTERED' };
    expect(await sendCallback({ ...stack, url }, callback)).not.toBe(200);
    expect(await rowOf(started)).toMatchObject({ status: 'BANK_ACC_REGISTERED', step: 'DONE' });
    await temporal.connection.close();
    expect(await sendCallback(stack, callback)).toBe(200);
    await untilClosed(started);
  });

  it('is refused from an operator while the payment gateway says otherwise', async () => {
    const started = await reachReview();
    const resolve = (verdict: string, ...more: string[]) =>
      operate(
        stack,
        'resolve',
        '--number',
        started.regNo,
        '--verdict',
        verdict,
        '--reason',
        'asked',
        ...more,
      );
    // The operator's own inquiry reaches the simulator, which knows nothing.
    expect(await resolve('REGISTERED')).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('NOT_FOUND'),
      errors: expect.stringContaining('--despite-payment-gateway'),
    });
    expect((await rowOf(started)).step).toBe('REVIEW');
    expect(await resolve('NOT_REGISTERED')).toMatchObject({ exitCode: 0 });
    expect(await rowOf(started)).toMatchObject({ step: 'DONE', resultCode: '002_912' });
    await untilClosed(started);
  });

  it('of the payment gateway ends a review by itself', async () => {
    const started = await reachReview();
    faults = { inquireRegistration: async () => ({ state: 'REGISTERED' }) };
    await expect
      .poll(async () => (await rowOf(started)).status, { timeout: 30_000 })
      .toBe('BANK_ACC_REGISTERED');
  });
});

it('the run shows what the row says', async () => {
  const started = await register();
  expect((await ended(started))['status']).toBe('BANK_ACC_REGISTERED');
  const run = runOf(started);
  await run.result();
  const { timeline, status, step, resultCode } = await rowOf(started);
  expect(await run.query(registrationTimelineQuery)).toEqual(timeline);
  expect(await run.query(registrationStateQuery)).toEqual({
    registrationNumber: started.regNo,
    status,
    step,
    resultCode,
  });
});

it('a request that arrives after its time is refused by the payment gateway, and nothing happens', async () => {
  const { userId, userName, birthDate } = stack.projects[0].members[nextMember()]!;
  const late = stack.simulated.register(
    {
      reference: 'B'.repeat(22),
      memberId: userId,
      bankCode: '003',
      accountNumber: '11012345678',
      holderName: userName,
      birthDate,
      evidence: { callId: 'CALL00000001', sha256: '0'.repeat(64) },
      sendBy: new Date(Date.now() - 1),
    },
    AbortSignal.timeout(5_000),
  );
  await expect(late).rejects.toThrow(NothingSent);
  expect(await simulated(`registrations?userId=${userId}`)).toEqual([]);
});
