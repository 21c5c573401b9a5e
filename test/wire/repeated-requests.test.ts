import { Client, Connection } from '@temporalio/client';
import { and, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rememberedRequests } from '../../database/schema.ts';
import { bankAccountOperations } from '../../wire/bank-account-operations.ts';
import { codes } from '../../wire/result-codes.ts';
import { createHold } from '../fixtures/hold.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, encrypt, registration, send, signedHeaders, untilEnded } from '../fixtures/wire-client.ts';
import type { Project, WireAnswer } from '../fixtures/wire-client.ts';
import { expectAnswer } from './envelope.ts';

let stack: Stack;
let otherUrl: string;
let lenient: Project;
let strict: Project;
beforeAll(async () => {
  stack = await startStack();
  otherUrl = await stack.startAnotherApi();
  [lenient, strict] = stack.projects;
});
afterAll(() => stack.close());

const basePath = '/open-api/api/v1/bankaccounts';
const ringing = { mobileNumber: '01012340008' };

/** An encrypted request that can be sent repeatedly, byte for byte. */
async function seal(body: object, project = strict) {
  const bytes = JSON.stringify({ encData: await encrypt(JSON.stringify(body), project) });
  return (path: string, { url = stack.url, key }: { url?: string; key?: string } = {}): Promise<WireAnswer> =>
    send(url, project, basePath + path, bytes, {
      headers: { 'X-KM-Crypto-Key-Id': project.cryptoKeyId, ...(key && { 'Idempotency-Key': key }) },
    });
}

/** Calls with an Idempotency-Key; a plain body. */
const callWithKey = (key: string, path: string, body: object, url = stack.url) =>
  send(url, lenient, basePath + path, JSON.stringify(body), { headers: { 'Idempotency-Key': key } });

const numberOf = ({ body }: WireAnswer) => String(body['bankAccRegNo']);
const answerOf = ({ status, body }: WireAnswer) => ({ status, body });

async function callsOf(regNo: string): Promise<number> {
  const calls = (await (await fetch(`${stack.simulatorUrl}/simulator/calls`)).json()) as {
    reference: string;
  }[];
  return calls.filter(({ reference }) => reference === regNo).length;
}

async function registrationsOf(project: Project, member: number): Promise<string[]> {
  const { userId } = project.members[member]!;
  const { body } = await call(stack.url, project, '/ars/register/list', { userId, limit: 100 });
  return (body['registrations'] as { bankAccRegNo: string }[]).map(({ bankAccRegNo }) => bankAccRegNo);
}

/** Makes what is remembered older than the interval. */
const age = (interval: string) =>
  stack.database.queries
    .update(rememberedRequests)
    .set({ firstSeenAt: sql`${rememberedRequests.firstSeenAt} - ${interval}::interval` });

describe('a ciphertext', () => {
  it('repeated in parallel, at two processes, makes one registration, and every copy learns its number', async () => {
    const sendIt = await seal(registration(strict, 0, ringing));
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        sendIt('/ars/register', index % 2 === 0 ? {} : { url: otherUrl }),
      ),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answerOf(answer)))).size).toBe(1);
    expectAnswer(answers[0]!, '000_000');
    expect(await registrationsOf(strict, 0)).toEqual([numberOf(answers[0]!)]);
  });

  it('repeated after the end of its registration gets the first answer', async () => {
    const sendIt = await seal(registration(strict, 1));
    const first = await sendIt('/ars/register');
    await untilEnded(stack.url, strict, numberOf(first));
    expect(answerOf(await sendIt('/ars/register'))).toEqual(answerOf(first));
    expect(answerOf(await sendIt('/ars/register', { url: otherUrl, key: 'another' }))).toEqual(
      answerOf(first),
    );
    expect(await registrationsOf(strict, 1)).toEqual([numberOf(first)]);
    expect(await callsOf(numberOf(first))).toBe(1);
  });

  it('is served again after a refusal, and then has its effect', async () => {
    const running = await (await seal(registration(strict, 2, ringing)))('/ars/register');
    const sendIt = await seal(registration(strict, 2));
    expectAnswer(await sendIt('/ars/register'), '002_013');
    const cancel = await seal({ regNo: numberOf(running), action: 'cancel' });
    expectAnswer(await cancel('/ars/register/cancel'), '000_000');
    expectAnswer(await cancel('/ars/register/cancel'), '000_000');
    const second = await sendIt('/ars/register');
    expectAnswer(second, '000_000');
    expect(numberOf(second)).not.toBe(numberOf(running));
    expect(answerOf(await sendIt('/ars/register'))).toEqual(answerOf(second));
  });

  it('is served again after a 503, which has registered nothing', async () => {
    const sendIt = await seal(registration(strict, 3));
    const temporal = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) });
    const url = await stack.startAnotherApi({ temporal });
    expectAnswer(await sendIt('/ars/register', { url }), '000_991');
    await temporal.connection.close();
    const answer = await sendIt('/ars/register');
    expectAnswer(answer, '000_000');
    expect(await registrationsOf(strict, 3)).toEqual([numberOf(answer)]);
  });

  it('repeated in parallel at two processes registers for auto charge once, and every copy succeeds', async () => {
    const sendIt = await seal({ userId: strict.members[1]!.userId });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        sendIt('/as-rcg-svc/ars/register', index % 2 === 0 ? {} : { url: otherUrl }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  it('is refused at another operation', async () => {
    const sendIt = await seal({ userId: strict.members[5]!.userId });
    expectAnswer(await sendIt('/ars/auth'), '000_000');
    expectAnswer(await sendIt('/delete'), '000_905');
    expectAnswer(await sendIt('/ars/auth'), '000_000');
  });

  it('is refused later: a read after ten minutes, an accepted request after a day', async () => {
    const read = await seal({});
    const accepted = await seal(registration(strict, 4));
    expectAnswer(await read('/institutions'), '000_000');
    const first = await accepted('/ars/register');
    await untilEnded(stack.url, strict, numberOf(first));
    await age('11 minutes');
    expectAnswer(await read('/institutions'), '000_905');
    expect(answerOf(await accepted('/ars/register'))).toEqual(answerOf(first));
    await age('24 hours');
    expectAnswer(await accepted('/ars/register'), '000_905');
  });

  it('that deleted an account does not delete its successor', async () => {
    const { userId } = strict.members[1]!;
    const sendIt = await seal({ userId });
    expectAnswer(await sendIt('/delete'), '000_000');
    const newer = await (await seal(registration(strict, 1)))('/ars/register');
    await untilEnded(stack.url, strict, numberOf(newer));
    expectAnswer(await sendIt('/delete'), '000_000');
    const info = await (await seal({ userId }))('/inquiry');
    expectAnswer(info, '000_000');
  });
});

describe('a copied status poll', () => {
  const acting = bankAccountOperations.filter(({ changes }) => changes);

  it.each([
    ['demands encryption', () => strict],
    ['accepts plain bodies', () => lenient],
  ] as const)('does nothing at any operation, if the project %s', async (_rule, projectOf) => {
    const project = projectOf();
    const body = registration(project, 9, ringing);
    const regNo = numberOf(await (await seal(body, project))('/ars/register'));
    const poll = JSON.stringify({ regNo });
    const copied = signedHeaders(project, poll, -60_000);
    // The token covers the body alone, so it stays valid with new times.
    const now = new Date().toISOString().replace(/\D/g, '');
    const headers = {
      'X-KM-Tran-Token': copied['X-KM-Tran-Token']!.replace(/:\d+:/, `:${now}:`),
      'X-KM-Tran-Time': now.slice(0, 14),
    };
    const withoutKeys = { ...project, secretKey: 'not known' };
    const replay = (path: string) => send(stack.url, withoutKeys, path, poll, { headers });
    const status = async () =>
      (await replay(`${basePath}/ars/register/inquiry`)).body['status'] as string | undefined;
    expect(await status()).toBe('ARS_AUTH_IN_PROGRESS');
    for (const { path } of acting) {
      const answer = await replay(`/open-api/api/v1${path}`);
      expect([path, answer.status]).toEqual([path, 400]);
    }
    expect(await status()).toBe('ARS_AUTH_IN_PROGRESS');
  });

  it('and what any reading operation requires is not accepted by an operation of ours that acts', () => {
    // The platform's own pairs, which cannot be changed: SECURITY.md names the risk.
    const documented = ['/bankaccounts/as-rcg-svc/ars/register', '/bankaccounts/delete'];
    const reading = bankAccountOperations.filter(({ changes }) => !changes);
    const requiredBy = ({ request }: (typeof bankAccountOperations)[number]) =>
      Object.entries(request.shape).flatMap(([name, schema]) =>
        schema.safeParse(undefined).success ? [] : [name],
      );
    const accepted = acting
      .filter(({ path }) => !documented.includes(path))
      .flatMap((operation) =>
        reading
          .filter((read) => requiredBy(operation).every((name) => name in read.request.shape))
          .map((read) => [operation.path, read.path]),
      );
    expect(accepted).toEqual([]);
  });
});

describe('an Idempotency-Key', () => {
  it('gives the first answer again, and another request with it is refused', async () => {
    const body = registration(lenient, 0);
    const first = await callWithKey('order-1', '/ars/register', body);
    await untilEnded(stack.url, lenient, numberOf(first));
    expect(answerOf(await callWithKey('order-1', '/ars/register', body, otherUrl))).toEqual(answerOf(first));
    // The same fields, written differently.
    const spelled = { ...body, bankAccount: '110-1234-5678', userName: ` ${String(body['userName'])} ` };
    expect(answerOf(await callWithKey('order-1', '/ars/register', spelled))).toEqual(answerOf(first));
    const other = { ...body, bankAccount: '11012345679' };
    expectAnswer(await callWithKey('order-1', '/ars/register', other), '000_916');
    expect(await registrationsOf(lenient, 0)).toEqual([numberOf(first)]);
  });

  it('whose stored number somebody changed to that of another service provider reveals nothing of it', async () => {
    const theirs = await (await seal(registration(strict, 5)))('/ars/register');
    const body = registration(lenient, 8);
    const ours = await callWithKey('order-9', '/ars/register', body);
    await untilEnded(stack.url, lenient, numberOf(ours));
    const point = (from: WireAnswer, to: WireAnswer) =>
      stack.database.queries
        .update(rememberedRequests)
        .set({ registrationNumber: numberOf(to) })
        .where(
          and(
            eq(rememberedRequests.aspId, lenient.aspId),
            eq(rememberedRequests.registrationNumber, numberOf(from)),
          ),
        );
    await point(ours, theirs);
    const answer = await callWithKey('order-9', '/ars/register', body);
    expectAnswer(answer, '000_990');
    expect(JSON.stringify(answer.body)).not.toContain(numberOf(theirs));
    await point(theirs, ours);
    expect(answerOf(await callWithKey('order-9', '/ars/register', body))).toEqual(answerOf(ours));
  });

  it('is one for ten parallel requests at two processes', async () => {
    const body = registration(lenient, 1, ringing);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        callWithKey('order-2', '/ars/register', body, index % 2 === 0 ? stack.url : otherUrl),
      ),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answerOf(answer)))).size).toBe(1);
    expect(await registrationsOf(lenient, 1)).toEqual([numberOf(answers[0]!)]);
  });

  it('of a request that is refused at one process gets the same refusal at another', async () => {
    const running = await call(stack.url, lenient, '/ars/register', registration(lenient, 2, ringing));
    /** An API that stands still before it inserts the registration. */
    const startSlowApi = async () => {
      const hold = createHold();
      const { registrations } = stack.stores;
      const add: typeof registrations.add = async (...words) => {
        await hold.reach();
        return await registrations.add(...words);
      };
      const stores = { ...stack.stores, registrations: { ...registrations, add } };
      return { ...hold, url: await stack.startAnotherApi({ stores }) };
    };
    const [first, second] = [await startSlowApi(), await startSlowApi()];
    const body = registration(lenient, 2);
    const answers: Promise<WireAnswer>[] = [];
    for (const { url, reached } of [first, second]) {
      answers.push(callWithKey('order-7', '/ars/register', body, url));
      await reached;
    }
    for (const [index, { release }] of [first, second].entries()) {
      release();
      expectAnswer((await answers[index])!, '002_013');
      expect((await answers[index])!.body).toMatchObject({ bankAccRegNo: numberOf(running) });
    }
  });

  it('belongs to its project and its operation', async () => {
    const { userId } = lenient.members[0]!;
    const { userId: strange } = strict.members[4]!;
    expect(await callWithKey('order-1', '/as-rcg-svc/ars/register', { userId })).toMatchObject({
      status: 200,
    });
    const deleteIt = await seal({ userId: strange });
    expectAnswer(await deleteIt('/delete', { key: 'order-1' }), '000_000');
  });

  it('is free again after a refusal', async () => {
    const unknown = { regNo: '261122093000AB12CD34EF', action: 'cancel' };
    expectAnswer(await callWithKey('order-3', '/ars/register/cancel', unknown), '002_019');
    const other = { ...unknown, regNo: '261122093000AB12CD34EG' };
    expectAnswer(await callWithKey('order-3', '/ars/register/cancel', other), '002_019');
  });

  it('that registered for auto charge or deleted an account gets the first answer, not a second effect', async () => {
    const { userId } = lenient.members[0]!;
    expect(await callWithKey('order-4', '/as-rcg-svc/ars/register', { userId })).toMatchObject({
      status: 200,
    });
    expectAnswer(await callWithKey('order-5', '/delete', { userId }), '000_000');
    const newer = await call(stack.url, lenient, '/ars/register', registration(lenient, 0));
    await untilEnded(stack.url, lenient, numberOf(newer));
    expect(await callWithKey('order-4', '/as-rcg-svc/ars/register', { userId })).toMatchObject({
      status: 200,
    });
    expectAnswer(await callWithKey('order-5', '/delete', { userId }), '000_000');
    const { body } = await call(stack.url, lenient, '/inquiry', { userId });
    expect(body).toMatchObject({ isAutoRcgAccRegAllowed: true });
  });

  it.for([
    ['', '000_002 Idempotency-Key'],
    ['k'.repeat(256), '000_015 Idempotency-Key'],
    ['two words', '000_002 Idempotency-Key'],
  ] as const)('of the form "%s" is refused', async ([key, expected]) => {
    expectAnswer(await callWithKey(key, '/delete', { userId: lenient.members[5]!.userId }), expected);
  });

  it('means nothing to an operation that changes nothing', async () => {
    const { userId } = lenient.members[0]!;
    expectAnswer(await callWithKey('order 6', '/inquiry', { userId }), codes.SUCCESS);
  });
});

describe('an Idempotency-Key that first comes with a ciphertext that has its answer', () => {
  /** Sends a ciphertext without the key, then with it, then its fields encrypted again. Each copy has to succeed. */
  async function sendLinked(path: string, body: object, between: (first: WireAnswer) => Promise<unknown>) {
    const [sendFirst, sendSecond] = [await seal(body), await seal(body)];
    const key = 'order-8';
    const first = await sendFirst(path);
    await between(first);
    const repeats = [
      await sendFirst(path, { key }),
      await sendSecond(path, { key, url: otherUrl }),
      await sendSecond(path),
    ];
    for (const { status } of [first, ...repeats]) expect(status).toBe(200);
    return { first, repeats };
  }
  async function register(member: number) {
    const answer = await (await seal(registration(strict, member)))('/ars/register');
    await untilEnded(stack.url, strict, numberOf(answer));
  }
  const inquire = async (userId: string) => (await (await seal({ userId }))('/inquiry')).body;

  it('is bound to its registration', async () => {
    const { first, repeats } = await sendLinked('/ars/register', registration(strict, 6), (answer) =>
      untilEnded(stack.url, strict, numberOf(answer)),
    );
    for (const repeat of repeats) expect(answerOf(repeat)).toEqual(answerOf(first));
    expect(await registrationsOf(strict, 6)).toEqual([numberOf(first)]);
  });

  it('deletes no successor of the account', async () => {
    const { userId } = strict.members[7]!;
    await register(7);
    await sendLinked('/delete', { userId }, () => register(7));
    expect(await inquire(userId)).toMatchObject({ response: { code: codes.SUCCESS } });
  });

  it('registers no successor of the account for auto charge', async () => {
    const { userId } = strict.members[8]!;
    await register(8);
    await sendLinked('/as-rcg-svc/ars/register', { userId }, async () => {
      expectAnswer(await (await seal({ userId }))('/delete'), '000_000');
      await register(8);
    });
    expect(await inquire(userId)).toMatchObject({ isAutoRcgAccRegAllowed: true });
  });
});

describe('a list of registrations', () => {
  it('of one member has only that', async () => {
    const all = await registrationsOf(lenient, 1);
    expect(all).toHaveLength(1);
    expect(await registrationsOf(lenient, 6)).toEqual([]);
  });
});
