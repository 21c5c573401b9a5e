import { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { KeyRing } from '../../encryption/key-ring.ts';
import { createPayloadCodec } from '../../encryption/payload-codec.ts';
import { createHttpPaymentGateway } from '../../payment-gateway/http/http-payment-gateway.ts';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { callEncrypted, registration, untilEnded } from '../fixtures/wire-client.ts';
import { findCanaries } from './canaries.ts';
import type { Canaries } from './canaries.ts';

const person = {
  userName: '카나리아 Kanarienvogel-Zeisig',
  birthDate: '19530917',
  mobileNumber: '01047386354',
  bankName: 'Bank of the Unmistakable Canary',
};
const accountNumbers = {
  registered: '11000733190284765319',
  replacing: '11000733190284765328',
  refused: '11000733190284769003',
  paymentGatewayDown: '11000733190284765337',
  databaseBroken: '11000733190284765346',
};
const canaries: Record<string, string> = {
  ...person,
  ...Object.fromEntries(Object.entries(accountNumbers).map(([name, number]) => [`${name} account`, number])),
  recording: 'WAVEfmt ',
};

let stack: Stack;
/** What Temporal holds after these registrations. */
let inTemporal: Awaited<ReturnType<typeof readTemporal>>;
let isDown = false;
const logLines: string[] = [];
/** Every answer, without the ARS code, which some answers must contain. */
const answers: unknown[] = [];
const registrationNumbers: Record<string, string> = {};

beforeAll(async () => {
  const closedUrl = `http://127.0.0.1:${await findFreePort()}`;
  const nowhere = { baseUrl: closedUrl, callbackUrl: closedUrl, sharedSecret: 'nobody listens' };
  const down = createHttpPaymentGateway(nowhere);
  stack = await startStack({
    onLogLine: (line) => logLines.push(line),
    policy: {
      ...sandboxPolicy,
      accountHolderCheck: { ...sandboxPolicy.accountHolderCheck, giveUpAfter: 1_500 },
    },
    intercept: injectFaults(() => (isDown ? down : {})),
  });
  await liveThroughAll();
  // Four members with five registrations, and the removal of one.
  inTemporal = await vi.waitUntil(
    async () => {
      const read = await readTemporal();
      return read.executions.length > 5 && read;
    },
    { timeout: 10_000 },
  );
});
afterAll(() => stack.close());

/** A success, a change of account, a refusal, and whatever throws errors. */
async function liveThroughAll(): Promise<void> {
  const { accessKey, secretKey } = stack.projects[0];
  const { paymentGatewaySecret, payloadKeys, databaseKeys } = stack;
  Object.assign(canaries, {
    accessKey,
    secretKey,
    clientPrivateKey: stack.projects[0].clientPrivateKey.split('\n')[1],
    paymentGatewaySecret,
    payloadKey: payloadKeys.split(':')[1],
    databaseKey: databaseKeys.split(':')[1],
  });

  await register('registered', 0);
  await ended('registered');
  await register('replacing', 0);
  await ended('replacing');
  await register('refused', 1);
  expect((await ended('refused')).response.code).toBe('002_016');
  isDown = true;
  await register('paymentGatewayDown', 2);
  expect((await ended('paymentGatewayDown')).response.code).toBe('002_913');
  isDown = false;

  await rename('consent_evidence', 'consent_evidence_elsewhere');
  await register('databaseBroken', 3);
  await vi.waitFor(() => expect(logLines.join()).toContain('The database query failed'), 20_000);
  await rename('consent_evidence_elsewhere', 'consent_evidence');
  expect((await ended('databaseBroken')).response.code).toBe('000_000');

  await rename('registrations', 'registrations_elsewhere');
  expect((await send('/ars/register', request('registered', 4))).response.code).toMatch(/^000_9/);
  await rename('registrations_elsewhere', 'registrations');
  expect((await send('/user/valid', request('registered', 4))).response.code).toBe('000_000');
  const invalid = { ...request('registered', 4), bankCode: '000', mobileNumber: `${person.mobileNumber}0` };
  expect((await send('/ars/register', invalid)).response.code).not.toBe('000_000');
}

function request(name: keyof typeof accountNumbers, member: number) {
  return registration(stack.projects[0], member, { ...person, bankAccount: accountNumbers[name] });
}

async function send(endpoint: string, body: object) {
  const answer = await callEncrypted(stack.url, stack.projects[0], endpoint, body);
  answers.push({ ...answer.body, authNumber: undefined, headers: Object.fromEntries(answer.headers) });
  return answer.body;
}

async function register(name: keyof typeof accountNumbers, member: number): Promise<void> {
  const { bankAccRegNo, authNumber, response } = await send('/ars/register', request(name, member));
  expect(response.code).toBe('000_000');
  registrationNumbers[name] = String(bankAccRegNo);
  canaries[`ARS code of ${name}`] = `"authNumber":"${String(authNumber)}"`;
}

async function ended(name: keyof typeof accountNumbers) {
  const { body } = await untilEnded(stack.url, stack.projects[0], registrationNumbers[name]!);
  answers.push(body);
  return body;
}

async function rename(table: string, name: string): Promise<void> {
  await stack.database.queries.execute(
    sql`alter table ${sql.identifier(table)} rename to ${sql.identifier(name)}`,
  );
}

/** Everything that Temporal stores: listings, descriptions and histories. */
async function readTemporal() {
  const { workflowService } = stack.temporal;
  const namespace = 'default';
  const { executions } = await workflowService.listWorkflowExecutions({ namespace });
  const runs = await Promise.all(
    executions.map(async ({ execution = null }) => ({
      description: await workflowService.describeWorkflowExecution({ namespace, execution }),
      history: await workflowService.getWorkflowExecutionHistory({ namespace, execution }),
    })),
  );
  return { executions, runs };
}

/** Every encrypted payload in what Temporal stores, as text. */
async function decryptAll(value: unknown): Promise<string[]> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if (!('metadata' in value && 'data' in value)) {
    return (await Promise.all(Object.values(value).map(decryptAll))).flat();
  }
  const codec = createPayloadCodec(new KeyRing(stack.payloadKeys));
  return (await codec.decode([value as Payload])).map(({ data }) => Buffer.from(data!).toString());
}

/** Every row of every table, by table. */
async function readDatabase(): Promise<Record<string, unknown>> {
  const { queries } = stack.database;
  const tables = await queries
    .select({ name: sql<string>`table_name` })
    .from(sql`information_schema.tables`)
    .where(sql`table_schema = 'public'`);
  const contents: Record<string, unknown> = {};
  for (const { name } of tables) {
    contents[name] = await queries.execute(sql`select * from ${sql.identifier(name)}`);
  }
  return contents;
}

describe('personal data and secrets are', () => {
  it('nowhere in Temporal', () => {
    expect(findCanaries(inTemporal, canaries)).toEqual([]);
  });

  it('nowhere in Temporal, whose inputs, summaries and failures are encrypted anyway', async () => {
    const encrypted = { input: '"registrationNumber"', summary: 'Ask the bank', failure: 'was not answered' };
    expect(findCanaries(inTemporal, encrypted)).toEqual([]);
    const run = stack.temporal.workflow.getHandle(stack.projects[0].members[0]!.userId);
    expect(await (await run.describe()).staticSummary()).toBe('Register an account at IBK');
  });

  it('in no payload in Temporal, even when decrypted', async () => {
    const payloads = await decryptAll(inTemporal);
    expect(payloads.join()).toContain('"registrationNumber":"');
    expect(payloads.join()).toContain('was not answered');
    expect(findCanaries(payloads, canaries)).toEqual([]);
  });

  it('nowhere in the database', async () => {
    const contents = await readDatabase();
    expect(Object.keys(contents)).toEqual(
      expect.arrayContaining(['members', 'registrations', 'consent_evidence']),
    );
    expect(findCanaries(contents, canaries)).toEqual([]);
  });

  it('in no log line', () => {
    expect(logLines.join()).toContain(registrationNumbers['registered']);
    expect(logLines.join()).toContain('/v1/account-holders/inquiry was not answered: ECONNREFUSED');
    expect(findCanaries(logLines, canaries)).toEqual([]);
  });

  it('in no metric, and neither are member IDs and registration numbers', async () => {
    const metrics = await stack.metrics.registry.metrics();
    expect(metrics).toContain('registrations_ended_total{status="BANK_ACC_REGISTERED",code="000_000"}');
    expect(metrics).toContain('operation="inquireAccountHolder",outcome="UNAVAILABLE"');
    const members = stack.projects[0].members.map(({ userId }) => [`member ${userId}`, userId] as const);
    const identifiers = { ...Object.fromEntries(members), ...registrationNumbers };
    expect(findCanaries(metrics, { ...canaries, ...identifiers })).toEqual([]);
  });

  it('in no response', () => {
    expect(answers.length).toBeGreaterThan(10);
    expect(findCanaries(answers, canaries)).toEqual([]);
  });
});

describe('the search would find', () => {
  const planted: Canaries = { name: person.userName, phone: person.mobileNumber };

  it.for([
    ['plain', (text: string) => text],
    ['in JSON', (text: string) => JSON.stringify({ text })],
    ['in bytes', (text: string) => Buffer.from(`before${text}after`)],
    ['percent-encoded', encodeURIComponent],
    ['in hex', (text: string) => Buffer.from(`x${text}x`).toString('hex')],
    ['in base64', (text: string) => Buffer.from(text).toString('base64')],
    ['in base64 after one byte', (text: string) => Buffer.from(`1${text}after`).toString('base64')],
    ['in base64url after two bytes', (text: string) => Buffer.from(`12${text}after`).toString('base64url')],
    ['as a key', (text: string) => ({ [text]: 1 })],
  ] as const)('a value %s', ([, plant]) => {
    const content = [{ deep: { down: Object.values(planted).map((text) => plant(text)) } }];
    expect(findCanaries(content, planted)).toEqual(['name', 'phone']);
    expect(findCanaries([{ deep: plant('somebody else') }], planted)).toEqual([]);
  });

  it('what a client without encryption sends to Temporal', async () => {
    const plainClient = new Client({ connection: stack.temporal.connection });
    const handle = await plainClient.workflow.start('nobody', {
      taskQueue: 'nobody',
      workflowId: 'plain',
      args: [{ name: person.userName }],
      memo: { phone: person.mobileNumber },
    });
    await vi.waitFor(async () => {
      const { executions } = await readTemporal();
      expect(executions.map(({ execution }) => execution?.workflowId)).toContain('plain');
    }, 10_000);
    expect(findCanaries(await readTemporal(), planted)).toEqual(['name', 'phone']);
    await handle.terminate();
  });

  it('the personal data that the database stores encrypted, once decrypted', async () => {
    const { details, member } = await stack.stores.registrations.openAny(registrationNumbers['registered']!);
    expect(details).toMatchObject({ accountNumber: accountNumbers.registered, holderName: person.userName });
    expect(findCanaries(details, planted)).toEqual(['name', 'phone']);
    const recording = await stack.stores.consentEvidence.openRecording(
      member.cipher,
      registrationNumbers['registered']!,
    );
    expect(findCanaries(recording, { recording: 'WAVEfmt ' })).toEqual(['recording']);
  });
});
