import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { eq, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { notificationWorkflowId, memberWorkflowId, removalWorkflowId } from '../../contract/registration.ts';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import { PersonalDataErased } from '../../database/personal-data-erased.ts';
import { accounts, consentEvidence, memberKeys, members, registrations } from '../../database/schema.ts';
import { reseal } from '../fixtures/reseal.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { operate as operateOn } from '../fixtures/operate.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, callEncrypted, registration, untilEnded } from '../fixtures/wire-client.ts';
import { findCanaries } from './canaries.ts';

const person = {
  userName: '카나리아 Kanarienvogel-Zeisig',
  birthDate: '19530917',
  bankAccount: '11000733190284765319',
};

let stack: Stack;
/** What the payment gateway does instead of what the simulator would do. */
let faults: PaymentGatewayFaults = {};
beforeAll(async () => {
  stack = await startStack({
    policy: { ...sandboxPolicy, consentEvidence: { giveUpAfter: 20_000 } },
    intercept: injectFaults(() => faults),
  });
});
afterAll(() => stack.close());

const operate = (...words: readonly string[]) => operateOn(stack, ...words);
const signed = ['--reason', 'the member asked for it'] as const;
const erase = (userId: string, ...words: readonly string[]) =>
  operate('member', 'erase', '--asp', stack.projects[0].aspId, '--user', userId, ...signed, ...words);
const runOf = (workflowId: string) => stack.temporal.workflow.getHandle(workflowId);

async function begin(member: number, overrides: Readonly<Record<string, unknown>> = person) {
  const project = stack.projects[0];
  const request = registration(project, member, overrides);
  const { body } = await callEncrypted(stack.url, project, '/ars/register', request);
  return { request, userId: String(request['userId']), number: String(body['bankAccRegNo']) };
}

async function register(member: number, overrides?: Readonly<Record<string, unknown>>) {
  const begun = await begin(member, overrides);
  await untilEnded(stack.url, stack.projects[0], begun.number);
  await runOf(memberWorkflowId(begun.userId)).result();
  return begun;
}

/** Every row of every table, read by the given query. */
async function readDatabase(read: (table: SQL) => SQL): Promise<unknown[]> {
  const { queries } = stack.database;
  const tables = await queries
    .select({ name: sql<string>`table_name` })
    .from(sql`information_schema.tables`)
    .where(sql`table_schema = 'public'`);
  return await Promise.all(tables.map(({ name }) => queries.execute(read(sql`${sql.identifier(name)}`))));
}

const readRows = () => readDatabase((table) => sql`select * from ${table}`);

/** The same as text, bytes in hex. */
async function dumpDatabase(): Promise<string> {
  return JSON.stringify(await readDatabase((table) => sql`select ${table}::text from ${table}`));
}

const rowOf = async (userId: string) =>
  (await stack.database.queries.select().from(members).where(eq(members.userId, userId)))[0]!;

describe('a member', () => {
  it('is not erased while work is left, and the refusal says which', async () => {
    const unavailable = () => Promise.reject(new PaymentGatewayUnavailable('Unavailable in this test.'));
    const refused = (text: string) => ({ exitCode: 1, output: '', errors: expect.stringContaining(text) });

    const ringing = await begin(0, { ...person, mobileNumber: '01012340008' });
    expect(await erase(ringing.userId)).toEqual(refused('the member is being registered'));
    await call(stack.url, stack.projects[0], '/ars/register/cancel', {
      regNo: ringing.number,
      action: 'cancel',
    });

    const { userId, number } = await register(0);
    expect(await erase(userId)).toEqual(refused(`account ${number} is in use`));

    faults = { removeRegistration: unavailable };
    await call(stack.url, stack.projects[0], '/delete', { userId });
    expect(await erase(userId)).toEqual(refused(`the workflow ${removalWorkflowId(number)} has ended`));
    faults = {};
    await runOf(removalWorkflowId(number)).result();

    const year = new Date().getUTCFullYear() + 5;
    expect(await erase(userId)).toEqual(refused(`the law requires the member's evidence until ${year}-`));
    await operate('evidence', 'hold', '--number', number, ...signed);
    expect(await erase(userId, '--before-retention-ends')).toEqual(refused('is under legal hold'));
    await operate('evidence', 'release', '--number', number, ...signed);

    expect(await erase('10009999999')).toEqual(refused('has no such member'));
    expect(
      await operate('member', 'erase', '--asp', stack.projects[1].aspId, '--user', userId, ...signed),
    ).toEqual(refused('has no such member'));
    expect(await erase('not an ID')).toMatchObject({ exitCode: 2 });
    expect((await rowOf(userId)).erasedAt).toBeNull();
  });

  it('is erased at once when no evidence has to be kept', async () => {
    const { userId } = await register(1, { ...person, bankAccount: '11012349001' });
    const { userId: other, number } = await register(2);
    await call(stack.url, stack.projects[0], '/delete', { userId: other });
    await runOf(removalWorkflowId(number)).result();
    await stack.database.queries
      .update(accounts)
      .set({ removedAt: new Date('2001-01-01T00:00:00Z') })
      .where(eq(accounts.registrationNumber, number));
    await reseal(stack);
    for (const id of [other, userId]) expect(await erase(id)).toMatchObject({ exitCode: 0, errors: '' });
  });
});

describe('an erased member', () => {
  let userId: string;
  let number: string;
  let request: Record<string, unknown>;
  let sealedDataKey: Buffer;
  let dumpBefore: string;
  let erasure: Awaited<ReturnType<typeof erase>>;

  beforeAll(async () => {
    const receiver = await startNotificationReceiver();
    await stack.stores.projects.setNotificationUrl(stack.projects[0].aspId, receiver.url);
    ({ userId, number, request } = await register(3));
    await runOf(notificationWorkflowId(number)).result();
    await call(stack.url, stack.projects[0], '/ars/auth', { userId });
    await call(stack.url, stack.projects[0], '/delete', { userId });
    await runOf(removalWorkflowId(number)).result();
    receiver.close();
    const ofMember = eq(memberKeys.userId, userId);
    const [key] = await stack.database.queries.select().from(memberKeys).where(ofMember);
    sealedDataKey = key!.sealedDataKey;
    dumpBefore = await dumpDatabase();
    erasure = await erase(userId, '--before-retention-ends');
  });

  it('is unknown to every route, but the registration number can still be inquired about', async () => {
    for (const [endpoint, body] of [
      ['/user/valid', request],
      ['/ars/auth', { userId }],
      ['/ars/register', request],
      ['/info', { userId }],
      ['/inquiry', { userId }],
      ['/as-rcg-svc/ars/register', { userId }],
      ['/delete', { userId }],
    ] as const) {
      const answer = await callEncrypted(stack.url, stack.projects[0], endpoint, body);
      expect([endpoint, answer.body.response?.code]).toEqual([endpoint, '001_006']);
    }
    const ask = async (endpoint: string, body: object) =>
      (await call(stack.url, stack.projects[0], endpoint, body)).body;
    expect(await ask('/ars/register/inquiry', { regNo: number })).toMatchObject({
      status: 'BANK_ACC_REGISTERED',
      response: { code: '000_000' },
    });
    expect(await ask('/ars/register/timeline', { regNo: number })).toMatchObject({
      steps: expect.arrayContaining([expect.objectContaining({ step: 'ENDED' })]),
    });
    const { registrations: listed } = await ask('/ars/register/list', { limit: 100 });
    expect(listed).toContainEqual(expect.objectContaining({ bankAccRegNo: number }));
  });

  it('leaves nothing that can be decrypted', async () => {
    expect(erasure).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(/erased permanently.*in no file/s),
    });
    expect(await rowOf(userId)).toMatchObject({
      sealedFacts: null,
      erasedBy: 'kim',
      erasureReason: 'the member asked for it',
    });
    const { queries } = stack.database;
    expect(await queries.$count(memberKeys, eq(memberKeys.userId, userId))).toBe(0);
    const [row] = await queries
      .select()
      .from(registrations)
      .where(eq(registrations.registrationNumber, number));
    const [evidence] = await queries
      .select()
      .from(consentEvidence)
      .where(eq(consentEvidence.registrationNumber, number));
    expect([row?.sealedDetails, evidence?.sealedRecording]).toEqual([null, null]);
    await expect(stack.stores.registrations.openAny(number)).rejects.toThrow(PersonalDataErased);
    expect(findCanaries(await readRows(), person)).toEqual([]);
    const dumped = await dumpDatabase();
    expect(dumpBefore).toContain(sealedDataKey.toString('hex'));
    expect(dumped).not.toContain(sealedDataKey.toString('hex'));
    expect(dumped).toContain(number);
  });

  it('has histories that replay', async () => {
    const replayed = new Set<string>();
    const query = `BankAccRegNo = "${number}" OR WorkflowId = "${userId}" OR WorkflowId = "${removalWorkflowId(number)}" OR WorkflowId = "${notificationWorkflowId(number)}"`;
    for await (const { workflowId, runId, type } of stack.temporal.workflow.list({ query })) {
      const history = await stack.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
      await Worker.runReplayHistory(stack.replayOptions, history, workflowId);
      replayed.add(type);
    }
    expect([...replayed].toSorted()).toEqual([
      'deliverResultNotification',
      'registerWithdrawalAccount',
      'removeAccount',
    ]);
  });

  it('can have results delivered again, since they hold no personal data', async () => {
    const receiver = await startNotificationReceiver();
    await stack.stores.projects.setNotificationUrl(stack.projects[0].aspId, receiver.url);
    expect(await operate('redeliver', '--number', number)).toMatchObject({ exitCode: 0 });
    expect(await runOf(notificationWorkflowId(number)).result()).toBe('DELIVERED');
    receiver.close();
    await stack.stores.projects.setNotificationUrl(stack.projects[0].aspId, null);
  });

  it('does not count as broken evidence', async () => {
    const erasedWithEvidence = await stack.database.queries.$count(
      sql`consent_evidence join registrations using (registration_number) join members using (asp_id, user_id) where erased_at is not null`,
    );
    expect(erasedWithEvidence).toBeGreaterThan(0);
    const { exitCode, output } = await operate('evidence', 'verify');
    expect(exitCode).toBe(0);
    expect(output).toContain(`0 broken, ${erasedWithEvidence} of erased members`);
    expect(
      await operate('evidence', 'export', '--number', number, '--directory', '/tmp/never'),
    ).toMatchObject({ exitCode: 1, errors: expect.stringContaining('can never be decrypted again') });
    expect(await operate('evidence', 'hold', '--number', number, ...signed)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('has been destroyed'),
    });
  });

  it('cannot be erased or added again', async () => {
    expect(await erase(userId)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('is already erased'),
    });
    const again = { userId, userName: 'Again', birthDate: '19900131', mobileNumber: '01012341234' };
    const file = join(temporaryDirectory(), 'members.jsonl');
    writeFileSync(file, JSON.stringify(again));
    const { aspId } = stack.projects[0];
    expect(await operate('member', 'add', '--asp', aspId, '--file', file)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('line 1 (an erased member'),
    });
    await stack.stores.members.add(aspId, [again]);
    expect(await stack.stores.members.find(stack.projects[0].aspId, userId)).toBeUndefined();
  });
});

it('a run for an erased member ends at once with 002_910, without retries', async () => {
  const { userId, number } = await begin(4, { ...person, mobileNumber: '01012340008' });
  const phone = `${stack.simulatorUrl}/simulator/phone/calls`;
  let callId = '';
  await expect
    .poll(
      async () => {
        const calls = (await (await fetch(phone)).json()) as { callId: string; reference: string }[];
        return (callId = calls.find(({ reference }) => reference === number)?.callId ?? '');
      },
      { timeout: 10_000 },
    )
    .not.toBe('');
  await stack.database.queries.delete(memberKeys).where(eq(memberKeys.userId, userId));
  await stack.database.queries
    .update(members)
    .set({ sealedFacts: null, erasedAt: new Date() })
    .where(eq(members.userId, userId));
  await reseal(stack);
  const post = (action: string, body = {}) =>
    fetch(`${phone}/${callId}/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const { code } = (await (await post('answer')).json()) as { code: string };
  expect((await post('code', { code })).ok).toBe(true);

  const run = runOf(memberWorkflowId(userId));
  expect(await run.result()).toEqual({ status: 'BANK_ACC_REG_FAILED', resultCode: '002_910' });
  const { events } = await run.fetchHistory();
  // It is given up in the first, local attempt: nothing is retried where operators see it.
  expect(events!.filter((event) => event.activityTaskScheduledEventAttributes)).toEqual([]);
});
