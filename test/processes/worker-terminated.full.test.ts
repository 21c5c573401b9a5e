import proto from '@temporalio/proto';
import { sql } from 'drizzle-orm';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { createActivities } from '../../activities/activities.ts';
import { createNotificationSender } from '../../notifications/notification-sender.ts';
import type { Activities } from '../../contract/activities.ts';
import { memberWorkflowId, removalWorkflowId } from '../../contract/registration.ts';
import { reconciliationStages } from '../../contract/reconciliation.ts';
import { wakeSignal } from '../../contract/registration-messages.ts';
import type { ReconciliationStage } from '../../contract/reconciliation.ts';
import type { ProxiedRequest } from '../fixtures/http-proxy.ts';
import { startHttpProxy } from '../fixtures/http-proxy.ts';
import { createHold } from '../fixtures/hold.ts';
import { ringing } from '../fixtures/members-of-stack.ts';
import type { Started } from '../fixtures/members-of-stack.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { operate } from '../fixtures/operate.ts';
import { decrypt } from '../fixtures/wire-client.ts';
import * as proxies from '../../workflows/activity-proxies.ts';
import type { StepActivity } from '../../workflows/activity-proxies.ts';
import { expectRegisteredOnce, hastyPolicy, startRealParts } from './real-parts.ts';
import type { RealParts } from './real-parts.ts';

const databaseUrl = process.env['DATABASE_URL'];

/** An activity that stands still in the worker. */
interface Held {
  /** Lets it go on. */
  readonly release: () => unknown;
  /** Waits for the end, and checks that everything has happened once. */
  readonly expectEnd: () => Promise<void>;
}

/** Resolves once the activity is running and stands still. */
type Scenario = (parts: RealParts) => Promise<Held>;

/** These read, or purge what nobody uses: to repeat them has no effect outside. */
const withoutEffects = ['purgeExpiredEvidence', ...Object.keys(reconciliationStages)];

type LocalActivity = {
  [Name in keyof typeof proxies]: (typeof proxies)[Name] extends Required<StepActivity> ? Name : never;
}[keyof typeof proxies];

/** The activities that are performed locally, in the first two seconds in which they are. */
const locally: Record<LocalActivity, Scenario> = {
  checkAccountHolder: (parts) => answerHeld(parts, at('/v1/account-holders/inquiry')),
  placeArsCall: (parts) => answerHeld(parts, at('/v1/ars-calls')),
  async inquireArsCall(parts) {
    const started = await parts.register(ringing);
    const hold = parts.gateway.hold('ANSWER', of(started, '/v1/ars-calls/inquiry'));
    await hold.reached;
    return { ...hold, expectEnd: () => pickUpAndEnd(parts, started) };
  },
  storeConsentEvidence: (parts) => recordingHeld(parts, false),
  inquireRegistration: (parts) => answerHeld(parts, at('/v1/registrations/inquiry'), acceptedLater),
  async readRegistration(parts) {
    const { started, ...held } = await reviewLocked(parts);
    await held.lock.untilWaitedFor();
    return { ...held, expectEnd: () => resolveReview(parts, started) };
  },
  async cancelRegistration(parts) {
    const { started, lock } = await cancellationLocked(parts);
    await lock.untilWaitedFor();
    return { ...lock, expectEnd: () => expectCancelled(parts, started) };
  },
};

/** All activities with effects, as regular ones; those that are local at first have failed or were too slow. */
const visibly: Record<Exclude<keyof Activities, ReconciliationStage | 'purgeExpiredEvidence'>, Scenario> = {
  checkAccountHolder: (parts) =>
    answerHeld(
      parts,
      withText('/v1/account-holders/inquiry', '11012340001'),
      { bankAccount: '11012340001' },
      500,
    ),
  placeArsCall: (parts) =>
    answerHeld(parts, withText('/v1/ars-calls', '01012340201'), { mobileNumber: '01012340201' }, 401),
  async inquireArsCall(parts) {
    const started = await parts.register(ringing);
    const hold = parts.gateway.hold('ANSWER', of(started, '/v1/ars-calls/inquiry'));
    await hold.reached;
    const lock = await lockRow(parts, started);
    hold.release();
    await untilPending(parts, started.userId, 'inquireArsCall');
    return { ...lock, expectEnd: () => pickUpAndEnd(parts, started) };
  },
  storeConsentEvidence: (parts) => recordingHeld(parts, true),
  registerAtPaymentGateway: (parts) =>
    answerHeld(parts, withText('/v1/registrations', '11012340002'), { bankAccount: '11012340002' }),
  async inquireRegistration(parts) {
    const started = await parts.register(acceptedLater);
    const hold = parts.gateway.hold('ANSWER', of(started, '/v1/registrations/inquiry'));
    await hold.reached;
    const lock = await lockRow(parts, started);
    hold.release();
    await untilPending(parts, started.userId, 'inquireRegistration');
    return { ...lock, expectEnd: () => expectRegisteredOnce(parts, started) };
  },
  async readRegistration(parts) {
    const { started, ...held } = await reviewLocked(parts);
    await untilPending(parts, started.userId, 'readRegistration');
    return { ...held, expectEnd: () => resolveReview(parts, started) };
  },
  async cancelRegistration(parts) {
    const { started, lock } = await cancellationLocked(parts);
    await untilPending(parts, started.userId, 'cancelRegistration');
    return { ...lock, expectEnd: () => expectCancelled(parts, started) };
  },
  async awaitReopening(parts) {
    const closed = { startsAt: new Date(Date.now() - 60_000), endsAt: new Date(Date.now() + 3_600_000) };
    const bankWindow = await parts.stores.bankWindows.add('004', { once: closed });
    const started = await parts.register({ bankCode: '004' });
    await untilStep(parts, started, /BANK_MAINTENANCE/);
    const lock = await lockRow(parts, started);
    await untilPending(parts, started.userId, 'awaitReopening');
    const release = async () => {
      await parts.stores.bankWindows.remove(bankWindow);
      await lock.release();
    };
    return { release, expectEnd: () => expectRegisteredOnce(parts, started) };
  },
  async removeAccount(parts) {
    const started = await registered(parts);
    const hold = parts.gateway.hold('ANSWER', of(started, '/v1/registrations/removal'));
    expect(await parts.post('/delete', { userId: started.userId })).toMatchObject(success);
    await hold.reached;
    await untilPending(parts, removalWorkflowId(started.regNo), 'removeAccount');
    const states = async () => (await parts.registrationsOf(started)).map(({ state }) => state);
    const isRecorded = async () =>
      (await parts.stores.ledger.find(started.regNo, 'REMOVAL', 'DONE')) !== undefined;
    return {
      ...hold,
      async expectEnd() {
        await expect.poll(isRecorded, waiting).toBe(true);
        expect(await states()).toEqual(['REMOVED']);
      },
    };
  },
  async deliverResultNotification(parts) {
    const receiver = await startNotificationReceiver();
    const proxy = await startHttpProxy(new URL(receiver.url).origin);
    onTestFinished(() => void [receiver.close(), proxy.close()]);
    const hold = proxy.hold('ANSWER', () => true);
    await parts.stores.projects.setNotificationUrl(parts.projects[0].aspId, `${proxy.url}/results`);
    const started = await registered(parts);
    await hold.reached;
    const state = async () => (await parts.stores.resultNotifications.find(started.regNo))?.state;
    return { ...hold, expectEnd: () => expect.poll(state, waiting).toBe('DELIVERED') };
  },
  async registerAutoCharge(parts) {
    const started = await registered(parts);
    const hold = parts.gateway.hold('ANSWER', of(started, '/v1/registrations/auto-charge'));
    const request = async () => {
      const body = await parts.post('/as-rcg-svc/ars/register', { userId: started.userId });
      // Only a success is encrypted.
      if (!('encData' in body)) return body;
      return JSON.parse(await decrypt(String(body['encData']), parts.projects[0])) as object;
    };
    const first = request();
    await hold.reached;
    return {
      ...hold,
      async expectEnd() {
        await first;
        await expect.poll(request, waiting).toMatchObject(success);
      },
    };
  },
};

describe.runIf(databaseUrl)('a worker that gets SIGTERM', { timeout: 240_000 }, () => {
  it('in each local activity leaves what it did to the next worker, and everything happens once', async () => {
    const names = Object.entries(proxies).flatMap(([name, proxy]) => ('locally' in proxy ? [name] : []));
    expect(Object.keys(locally).toSorted()).toEqual(names.toSorted());
    const parts = await startParts();
    let worker = await parts.startWorker();
    for (const scenario of Object.values(locally)) {
      const held = await scenario(parts);
      worker.terminate();
      await worker.untilOutput(/"state":"(STOPPING|DRAINING)"/);
      const next = parts.startWorker();
      await held.release();
      expect(await worker.exited).toBe(0);
      worker = await next;
      await held.expectEnd();
    }
  });

  it('in each regular activity leaves what it did to the next worker, and everything happens once', async () => {
    const parts = await startParts();
    const notificationSender = createNotificationSender({ allowLoopback: true });
    onTestFinished(() => notificationSender.close());
    const names = Object.keys(createActivities({ ...parts, notificationSender }));
    expect([...Object.keys(visibly), ...withoutEffects].toSorted()).toEqual(names.toSorted());
    let worker = await parts.startWorker();
    const scenarios = Object.values(visibly);
    // Not all at once: those that wait for a lock keep their connections to the database.
    for (let first = 0; first < scenarios.length; first += 4) {
      const held = await Promise.all(scenarios.slice(first, first + 4).map((scenario) => scenario(parts)));
      worker.terminate();
      await worker.untilOutput(/"state":"(STOPPING|DRAINING)"/);
      const next = await parts.startWorker();
      for (const { release } of held) await release();
      expect(await worker.exited).toBe(0);
      worker = next;
      for (const { expectEnd } of held) await expectEnd();
    }
  });
});

const startParts = () =>
  startRealParts(databaseUrl!, inject('workflowBundle'), {
    ...hastyPolicy,
    // Longer than an answer is held here.
    effects: { ...hastyPolicy.effects, sendLimit: 10_000 },
  });

const waiting = { timeout: 40_000 };
const success = { response: { code: '000_000' } };
/** The payment gateway accepts the registration, and decides it three seconds later. */
const acceptedLater = { bankAccount: '11012349006' };

const at = (path: string) => (request: ProxiedRequest) => request.path === path;
const withText = (path: string, text: string) => (request: ProxiedRequest) =>
  request.path === path && request.body.includes(text);
const of = ({ regNo }: Started, path: string) => withText(path, regNo);

/** A registration whose request is answered, without the worker learning it. `failure`: the HTTP status before that. */
async function answerHeld(
  parts: RealParts,
  matches: (request: ProxiedRequest) => boolean,
  overrides: Readonly<Record<string, unknown>> = {},
  failure?: number,
): Promise<Held> {
  if (failure !== undefined) parts.gateway.answer(failure, matches);
  const hold = parts.gateway.hold('ANSWER', matches);
  const started = await parts.register(overrides);
  await hold.reached;
  return { ...hold, expectEnd: () => expectRegisteredOnce(parts, started) };
}

async function recordingHeld(parts: RealParts, failsBefore: boolean): Promise<Held> {
  const started = await parts.register(ringing);
  await parts.untilRinging(started);
  const [call] = await parts.callsOf(started);
  const matches = withText('/v1/ars-calls/recording', String(call!['callId']));
  if (failsBefore) parts.gateway.answer(500, matches);
  const hold = parts.gateway.hold('ANSWER', matches);
  await parts.pickUp(started);
  await hold.reached;
  return { ...hold, expectEnd: () => expectRegisteredOnce(parts, started) };
}

async function registered(parts: RealParts): Promise<Started> {
  const started = await parts.register();
  expect(await parts.ended(started)).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
  return started;
}

async function pickUpAndEnd(parts: RealParts, started: Started): Promise<void> {
  await parts.pickUp(started);
  await expectRegisteredOnce(parts, started);
}

/** Locks a row, so that whoever works on the registration stands still before it can decide anything. */
async function lockRow({ database }: RealParts, { regNo }: Started) {
  const hold = createHold();
  let holder = 0;
  const transaction = database.queries.transaction(async (locking) => {
    const { rows } = (await locking.execute(
      sql`select pg_backend_pid() as id from registrations where registration_number = ${regNo} for update`,
    )) as { rows: [{ id: number }] };
    holder = rows[0].id;
    await hold.reach();
  });
  await hold.reached;
  onTestFinished(() => hold.release());
  const isWaitedFor = async () => {
    const { rows } = (await database.queries.execute(
      sql`select 1 from pg_stat_activity where ${holder} = any(pg_blocking_pids(pid))`,
    )) as { rows: unknown[] };
    return rows.length > 0;
  };
  return {
    async release() {
      hold.release();
      await transaction;
    },
    untilWaitedFor: () => expect.poll(isWaitedFor, { ...waiting, interval: 20 }).toBe(true),
  };
}

const isRunning = proto.temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;

/** Waits until a regular activity of a run has been started by the worker. */
async function untilPending(
  { temporal }: RealParts,
  workflowId: string,
  name: keyof Activities,
): Promise<void> {
  const run = temporal.workflow.getHandle(workflowId);
  const running = async () => {
    const { raw } = await run.describe();
    const pending = raw.pendingActivities ?? [];
    return pending.filter(({ state }) => state === isRunning).map(({ activityType }) => activityType?.name);
  };
  await expect.poll(running, waiting).toEqual([name]);
}

async function untilStep(parts: RealParts, started: Started, outcome: RegExp): Promise<void> {
  const timeline = async () => JSON.stringify((await parts.rowOf(started))?.timeline);
  await expect.poll(timeline, waiting).toMatch(outcome);
}

/** A registration in REVIEW, whose run was woken and cannot look at the row. */
async function reviewLocked(parts: RealParts) {
  const request = parts.gateway.hold('REQUEST', withText('/v1/registrations', '11012340003'));
  const { url } = await parts.startApi({
    policy: {
      ...hastyPolicy,
      effects: { sendLimit: 500, settleTime: 60_000, maxAttempts: 5 },
      paymentGatewayRegistration: { firstInquiryAfter: 300, maxInquiryInterval: 600, reviewAfter: 500 },
    },
  });
  const started = await parts.register({ bankAccount: '11012340003' }, { url });
  await expect.poll(async () => (await parts.rowOf(started))?.step, waiting).toBe('REVIEW');
  const lock = await lockRow(parts, started);
  await parts.temporal.workflow.getHandle(memberWorkflowId(started.userId)).signal(wakeSignal);
  const release = async () => {
    request.release();
    await lock.release();
  };
  return { started, lock, release };
}

async function resolveReview(parts: RealParts, started: Started): Promise<void> {
  const { stores, temporal, paymentGateway: simulated } = parts;
  const words = ['--verdict', 'NOT_REGISTERED', '--reason', 'asked'];
  const resolved = await operate(
    { stores, temporal, simulated },
    'resolve',
    '--number',
    started.regNo,
    ...words,
  );
  expect(resolved).toMatchObject({ exitCode: 0 });
  expect(await parts.ended(started)).toMatchObject({ response: { code: '002_912' } });
  expect(await parts.callsOf(started)).toHaveLength(1);
  expect(await parts.registrationsOf(started)).toEqual([]);
}

/** A ringing registration whose run was cancelled in Temporal, and cannot end the row. */
async function cancellationLocked(parts: RealParts) {
  const started = await parts.register(ringing);
  await parts.untilRinging(started);
  const lock = await lockRow(parts, started);
  await parts.temporal.workflow.getHandle(memberWorkflowId(started.userId)).cancel();
  return { started, lock };
}

async function expectCancelled(parts: RealParts, started: Started): Promise<void> {
  expect(await parts.ended(started)).toMatchObject({ response: { code: '002_914' } });
  expect(await parts.callsOf(started)).toHaveLength(1);
  expect(await parts.registrationsOf(started)).toEqual([]);
}
