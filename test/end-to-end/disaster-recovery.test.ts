import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { resultNotifications } from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import type { TemporalServer } from '../../development/sandbox/temporal-server.ts';
import { createDataConverter } from '../../encryption/data-converter.ts';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import { createLog } from '../../runtime/log.ts';
import { createTemporalClient } from '../../runtime/temporal.ts';
import { sweep } from '../../runs/sweep.ts';
import { createKey } from '../database/stores-fixture.ts';
import { recoverySteps } from '../docs/recovery-steps.ts';
import { backUp } from '../fixtures/database-backup.ts';
import type { DatabaseBackup } from '../fixtures/database-backup.ts';
import { membersOf, ringing } from '../fixtures/members-of-stack.ts';
import type { Started } from '../fixtures/members-of-stack.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import type { NotificationReceiver } from '../fixtures/notification-receiver.ts';
import { operate } from '../fixtures/operate.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { startTestTemporal } from '../fixtures/temporal-server.ts';
import { call, registration } from '../fixtures/wire-client.ts';

let stack: Stack;
let receiver: NotificationReceiver;
let directory: string;
/** In place of the stack's own, once a scenario has replaced that. */
let temporalServer: TemporalServer | undefined;
let faults: PaymentGatewayFaults = {};
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'disaster-recovery-'));
  stack = await startStack({ intercept: injectFaults(() => faults) });
  receiver = await startNotificationReceiver();
  await stack.stores.projects.setNotificationUrl(stack.projects[0].aspId, receiver.url);
});
afterEach(() => {
  faults = {};
});
afterAll(async () => {
  await stack.close();
  await temporalServer?.stop();
  receiver.close();
  await rm(directory, { recursive: true, force: true });
});

const unavailable = () => Promise.reject(new PaymentGatewayUnavailable('It is away, says the test.'));

const { callsOf, ended, nextMember, pickUp, post, register, registrationsOf, rowOf, untilRinging } =
  membersOf(() => stack);

const codeOf = async (path: string, request: object) => (await post(path, request)).response.code;
const accountOf = ({ userId }: Started) => post('/info', { userId });
const untilRegistered = async (started: Started) =>
  expect((await ended(started))['status']).toBe('BANK_ACC_REGISTERED');

/** Registered, by one call and one request. */
async function expectRegisteredOnce(started: Started): Promise<void> {
  await untilRegistered(started);
  expect(await callsOf(started)).toHaveLength(1);
  const ofNumber = (await registrationsOf(started)).filter(
    ({ bankAccRegNo }) => bankAccRegNo === started.regNo,
  );
  expect(ofNumber).toEqual([expect.objectContaining({ registerCalls: 1 })]);
}

/** Waits until no run of the member is open, as operators see it in lists. */
async function untilClosed({ userId }: Started): Promise<void> {
  const query = `WorkflowId = '${userId}' and ExecutionStatus = 'Running'`;
  const countOpen = async () => (await stack.temporal.workflow.count(query)).count;
  await expect.poll(countOpen, { timeout: 20_000 }).toBe(0);
}

/** The type of the failure for which the run's activity is retried. */
async function pendingFailure(workflowId: string): Promise<string | undefined> {
  const { raw } = await stack.temporal.workflow.getHandle(workflowId).describe();
  return raw.pendingActivities?.[0]?.lastFailure?.applicationFailureInfo?.type ?? undefined;
}

const sequenceOf = async ({ regNo }: Started) =>
  (await stack.stores.resultNotifications.find(regNo))!.sequence;

async function highestSequence(): Promise<number> {
  const rows = await stack.database.queries.select().from(resultNotifications);
  return Math.max(...rows.map(({ sequence }) => sequence));
}

/** Starts another Temporal server where the present one is. */
async function replaceTemporal(dataDirectory?: string): Promise<void> {
  await (temporalServer ? temporalServer.stop() : stack.stopTemporal());
  temporalServer = await startTestTemporal({
    port: Number(stack.temporalAddress.split(':')[1]),
    searchAttributes: [],
    ...(dataDirectory !== undefined && { databaseFile: join(dataDirectory, 'temporal.db') }),
  });
  await vi.waitFor(() => stack.temporal.workflowService.getSystemInfo({}), 20_000);
}

/** What the API does every minute. */
const sweepOnce = () => sweep({ ...stack, log: createLog('sweep', 'silent') });

async function startAgain(): Promise<void> {
  await stack.startWorker();
  await sweepOnce();
}

/** Makes the database look as after a failover: on the timeline after the one last known. */
const failOver = async () => (await backUp(stack.database.queries)).restore();

/** How the steps of a section are carried out. */
interface Actions {
  /** What is done by hand. */
  readonly byHand?: Readonly<Record<string, () => Promise<unknown>>>;
  readonly backup?: DatabaseBackup;
  /** Exit codes other than 0, by command. */
  readonly exitCodes?: Readonly<Record<string, number>>;
  readonly service?: () => Parameters<typeof operate>[0];
}

/** Carries out the steps of a section in their order. @returns what the commands printed, by command */
async function carryOut(
  title: string,
  { byHand = {}, backup, exitCodes = {}, service = () => stack }: Actions,
): Promise<Readonly<Record<string, string>>> {
  const printed: Record<string, string> = {};
  const steps = recoverySteps.get(title)!;
  expect(steps.filter((step) => step.startsWith('# ')).map((step) => step.slice(2))).toEqual(
    Object.keys(byHand),
  );
  for (const step of steps) {
    if (step.startsWith('# ')) {
      await byHand[step.slice(2)]!();
      continue;
    }
    const [, words = ''] = /^npm run operator -- (.*)$/.exec(step) ?? [];
    const given = words.replace('<time of the backup>', backup?.madeAt.toISOString() ?? '').split(' ');
    const { exitCode, output, errors } = await operate(service(), ...given);
    expect({ step, exitCode, errors }).toMatchObject({ exitCode: exitCodes[given[0]!] ?? 0 });
    printed[given[0]!] = output;
  }
  return printed;
}

const scenarios: Readonly<Record<string, (title: string) => Promise<void>>> = {
  async 'Temporal is lost'(title) {
    const started = await register(ringing);
    await untilRinging(started);
    await carryOut(title, {
      byHand: {
        'Set up an empty Temporal cluster, and point TEMPORAL_ADDRESS to it.': async () => {
          await stack.stopWorker();
          await replaceTemporal();
        },
        'Start the workers, then the API.': startAgain,
      },
    });
    await pickUp(started);
    await expectRegisteredOnce(started);
  },

  async 'Temporal is restored to an old state'(title) {
    const [present, old] = [join(directory, 'present'), join(directory, 'old')];
    await mkdir(present);
    await stack.stopWorker();
    await replaceTemporal(present);
    await operate(stack, 'setup');
    await stack.startWorker();
    const open = await register(ringing);
    await untilRinging(open);
    await stack.stopWorker();
    await temporalServer!.stop();
    await cp(present, old, { recursive: true });
    await replaceTemporal(present);
    await stack.startWorker();
    await pickUp(open);
    await untilRegistered(open);
    const newer = await register(ringing);
    await untilRinging(newer);
    await carryOut(title, {
      byHand: {
        'Restore Temporal, and start it.': async () => {
          await stack.stopWorker();
          await replaceTemporal(old);
          await stack.startWorker();
        },
      },
    });
    await untilClosed(open);
    await pickUp(newer);
    for (const started of [open, newer]) await expectRegisteredOnce(started);
  },

  async 'The primary database fails over'(title) {
    const started = await register(ringing);
    await untilRinging(started);
    await failOver();
    await pickUp(started);
    await carryOut(title, {});
    await expectRegisteredOnce(started);
  },

  async 'The database is restored to a point in time'(title) {
    const held = '11012340101';
    faults = {
      inquireAccountHolder: (account, signal) =>
        account.accountNumber === held
          ? unavailable()
          : stack.simulated.inquireAccountHolder(account, signal),
    };
    const memberWithTwo = nextMember();
    const [deleted, replaced] = [await register(), await register({}, { member: memberWithTwo })];
    for (const started of [deleted, replaced]) await untilRegistered(started);
    const [called, cancelled, registered] = [
      await register({ ...ringing, bankAccount: held }),
      await register(ringing),
      await register(ringing),
    ];
    for (const started of [cancelled, registered]) await untilRinging(started);
    const backup = await backUp(stack.database.queries);

    faults = {};
    await untilRinging(called);
    expect(await codeOf('/ars/register/cancel', { regNo: cancelled.regNo, action: 'cancel' })).toBe(
      '000_000',
    );
    await pickUp(registered);
    await untilRegistered(registered);
    expect(await codeOf('/delete', { userId: deleted.userId })).toBe('000_000');
    const [successor, unknown, refused, unfinished] = [
      await register({ bankAccount: '11012345679' }, { member: memberWithTwo }),
      await register(),
      await register({ bankAccount: '11012349001' }),
      await register(ringing),
    ];
    const newcomer = inventMember('39999999999');
    const addNewcomer = () => stack.stores.members.add(stack.projects[0].aspId, [newcomer]);
    await addNewcomer();
    const ofNewcomer = await register({ ...newcomer, mobileNumber: undefined });
    for (const started of [successor, unknown, refused, ofNewcomer]) await ended(started);
    await untilRinging(unfinished);
    for (const started of [cancelled, registered, successor, unknown, refused, ofNewcomer])
      await untilClosed(started);
    const sequences = await highestSequence();

    const printed = await carryOut(title, {
      backup,
      exitCodes: { adopt: 1 },
      byHand: {
        'Stop the API and all workers.': () => stack.stopWorker(),
        'Restore PostgreSQL.': async () => {
          await backup.restore();
          expect(await operate(stack, 'adopt')).toMatchObject({
            exitCode: 1,
            errors: expect.stringContaining('restored --to'),
          });
        },
        'Start the workers, then the API.': async () => {
          const again = await operate(stack, 'adopt');
          expect(again).toMatchObject({ exitCode: 1 });
          expect(again.output).toContain('0 done, 1 to be decided by you.');
          await addNewcomer();
          expect(await operate(stack, 'adopt')).toMatchObject({ exitCode: 0 });
          expect((await operate(stack, 'adopt')).output).toBe('Nothing is lost that can be brought back.');
          await startAgain();
        },
      },
    });
    expect(printed['adopt']!.split('\n')).toEqual([
      expect.stringMatching(/^number +member +result +to be decided$/),
      expect.stringMatching(`^${cancelled.regNo}.* ended with 002_914$`),
      expect.stringMatching(`^${registered.regNo}.* ended with 000_000$`),
      expect.stringMatching(`^${successor.regNo}.* ended with 000_000; .* are lost$`),
      expect.stringMatching(`^${unknown.regNo}.* ended with 000_000; .* are lost$`),
      expect.stringMatching(`^${refused.regNo}.* ended with 002_901; .* are lost$`),
      expect.stringMatching(`^${unfinished.regNo}.* ended with 002_912; .* are lost$`),
      expect.stringMatching(`^${ofNewcomer.regNo}.* not adopted .*: add the member, then adopt again$`),
      expect.stringMatching(`^${deleted.regNo}.* account deleted$`),
      ...[registered, successor, unknown].map(({ regNo }) =>
        expect.stringMatching(`^${regNo}.* recording stored$`),
      ),
      '10 done, 1 to be decided by you.',
    ]);

    await pickUp(called);
    await expectRegisteredOnce(called);
    for (const started of [registered, successor, unknown, ofNewcomer]) {
      await expectRegisteredOnce(started);
      expect(await accountOf(started)).toMatchObject({ accountInfo: { bankAccRegNo: started.regNo } });
      const verified = await operate(stack, 'evidence', 'verify', '--number', started.regNo);
      expect(verified).toMatchObject({ exitCode: 0 });
    }
    for (const [started, code] of [
      [cancelled, '002_914'],
      [refused, '002_901'],
      [unfinished, '002_912'],
    ] as const) {
      expect(await rowOf(started)).toMatchObject({ resultCode: code, step: 'DONE' });
      expect((await callsOf(started)).length).toBeLessThanOrEqual(1);
      await untilClosed(started);
    }
    expect(await accountOf(deleted)).toMatchObject({ response: { code: '002_916' } });
    for (const started of [deleted, replaced]) {
      await expect
        .poll(async () => (await registrationsOf(started))[0]?.['state'], { timeout: 20_000 })
        .toBe('REMOVED');
    }
    for (const started of [called, cancelled, registered, unknown, refused, unfinished])
      expect(await sequenceOf(started)).toBeGreaterThan(sequences);
  },

  async 'The payload keys are lost'(title) {
    const started = await register(ringing);
    await untilRinging(started);
    let payloadKeys = '';
    let temporal = stack.temporal;
    await carryOut(title, {
      service: () => ({ ...stack, temporal }),
      byHand: {
        'Make new PAYLOAD_KEYS with a new key ID, and give them to all processes.': async () => {
          payloadKeys = createKey('new-payload-key');
        },
        'Set up an empty Temporal cluster, and point TEMPORAL_ADDRESS to it.': async () => {
          await stack.stopWorker();
          await replaceTemporal();
          temporal = createTemporalClient(
            { connectionOptions: { address: stack.temporalAddress }, namespace: 'default' },
            createDataConverter(payloadKeys),
          );
        },
        'Start the workers, then the API.': () => stack.startWorker({ payloadKeys }),
      },
    });
    await temporal.connection.close();
    await pickUp(started);
    await expectRegisteredOnce(started);
    await untilClosed(started);
    await stack.stopWorker();
    await stack.startWorker();
  },

  async 'The database keys are lost'(title) {
    const withoutKeys = createStores(stack.database.queries, createKey('another-key'));
    await expect(withoutKeys.databaseKeys.requireAll()).rejects.toThrow(/test-key/);
    expect(await carryOut(title, {})).toEqual({ keys: expect.stringContaining('test-key') });
  },

  async 'Both are lost'(title) {
    const open = await register(ringing);
    await untilRinging(open);
    const backup = await backUp(stack.database.queries);
    const unknown = await register();
    await untilRegistered(unknown);
    const printed = await carryOut(title, {
      backup,
      exitCodes: { adopt: 1 },
      byHand: {
        'Stop the API and all workers.': () => stack.stopWorker(),
        'Restore PostgreSQL.': () => backup.restore(),
        'Set up an empty Temporal cluster, and point TEMPORAL_ADDRESS to it.': () => replaceTemporal(),
        'Start the workers, then the API.': startAgain,
      },
    });
    expect(printed['adopt']).toMatch(
      new RegExp(`^${unknown.regNo}.* registered at the payment gateway, but no run remembers it$`, 'm'),
    );
    await stack.simulated.removeRegistration(unknown.regNo, AbortSignal.timeout(5_000));
    expect(await operate(stack, 'adopt')).toMatchObject({ exitCode: 0 });
    await pickUp(open);
    await expectRegisteredOnce(open);
  },
};

describe('docs/disaster-recovery.md, carried out line by line', () => {
  const sections = [...recoverySteps].filter(([, steps]) => steps.length > 0).map(([title]) => title);

  it('has no section that is not carried out', () => {
    expect(Object.keys(scenarios)).toEqual(sections);
  });

  it.each(sections)('%s', { timeout: 180_000 }, async (title) => {
    expect(scenarios).toHaveProperty([title]);
    await scenarios[title]!(title);
  });
});

it('a database that is restored while API and workers run sends, ends and numbers nothing before restored', async () => {
  faults = { inquireAccountHolder: unavailable };
  const [calling, cancelled] = [await register(), await register()];
  const backup = await backUp(stack.database.queries);
  faults = {};
  for (const started of [calling, cancelled]) {
    await untilRegistered(started);
    await untilClosed(started);
    const notification = () => stack.stores.resultNotifications.find(started.regNo);
    await expect.poll(notification, { timeout: 20_000 }).toMatchObject({ state: 'DELIVERED' });
  }
  const delivered = receiver.received.length;
  await backup.restore();

  await operate(stack, 'resume', '--all');
  await expect.poll(() => pendingFailure(calling.userId), { timeout: 20_000 }).toBe('DatabaseRestored');
  expect(await codeOf('/ars/register/cancel', { regNo: cancelled.regNo, action: 'cancel' })).toBe('000_991');
  expect(await stack.stores.incarnations.look('asynchronous')).toBe('RESTORED');
  for (const started of [calling, cancelled]) expect(await callsOf(started)).toHaveLength(1);
  expect(receiver.received).toHaveLength(delivered);

  await operate(stack, 'restored', '--to', backup.madeAt.toISOString());
  await expectRegisteredOnce(calling);
  await expectRegisteredOnce(cancelled);
});

it('removals and deliveries of a restored database wait for restored, too', async () => {
  const deleted = await register();
  await untilRegistered(deleted);
  const cancelled = await register(ringing);
  await untilRinging(cancelled);
  await stack.stopWorker();
  expect(await codeOf('/delete', { userId: deleted.userId })).toBe('000_000');
  expect(await codeOf('/ars/register/cancel', { regNo: cancelled.regNo, action: 'cancel' })).toBe('000_000');
  const backup = await backUp(stack.database.queries);
  await backup.restore();
  await stack.startWorker();
  for (const workflowId of [`removal-${deleted.regNo}`, `notification-${cancelled.regNo}`])
    await expect.poll(() => pendingFailure(workflowId), { timeout: 20_000 }).toBe('DatabaseRestored');
  expect(await registrationsOf(deleted)).toMatchObject([{ state: 'REGISTERED' }]);
  expect(await stateOf(cancelled)).toBe('PENDING');

  await operate(stack, 'restored', '--to', backup.madeAt.toISOString());
  await expect
    .poll(async () => (await registrationsOf(deleted))[0]?.['state'], { timeout: 20_000 })
    .toBe('REMOVED');
  await expect.poll(() => stateOf(cancelled), { timeout: 20_000 }).toBe('DELIVERED');

  async function stateOf({ regNo }: Started): Promise<string | undefined> {
    return (await stack.stores.resultNotifications.find(regNo))?.state;
  }
});

it('a member whose running registration is lost is answered with 002_013 before it is adopted', async () => {
  // Known to the backup, as to that of every service that has accepted a registration.
  await ended(await register());
  const backup = await backUp(stack.database.queries);
  const member = nextMember();
  const started = await register(ringing, { member });
  await untilRinging(started);
  await stack.stopWorker();
  await backup.restore();
  await operate(stack, 'restored', '--to', backup.madeAt.toISOString());
  const url = await stack.startAnotherApi();
  const request = registration(stack.projects[0], member, ringing);
  const { body } = await call(url, stack.projects[0], '/ars/register', request);
  expect(body.response.code).toBe('002_013');
  const planned = await operate(stack, 'adopt', '--dry-run');
  expect(planned).toMatchObject({ exitCode: 0, output: expect.stringContaining('would be') });
  expect(await rowOf(started)).toBeUndefined();
  const unanswered = { ...stack.simulated, listRegistrations: unavailable };
  expect(await operate({ ...stack, simulated: unanswered }, 'adopt')).toMatchObject({
    exitCode: 1,
    errors: expect.stringContaining('The payment gateway does not answer'),
  });
  expect(await operate(stack, 'adopt')).toMatchObject({ exitCode: 0 });
  expect(await rowOf(started)).toMatchObject({ resultCode: '002_912' });
  await stack.startWorker();
  await untilClosed(started);
});
