import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as beginRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  bankAccountOperations,
  deleteAccount,
  getAccount,
  getTimeline,
  inquireAccount,
  inquireRegistrationStatus,
  issueArsCode,
  listInstitutions,
  listRegistrations,
  registerAccount,
  registerForAutoCharge,
  validateAccountHolder,
} from '../../wire/bank-account-operations.ts';
import { institutions as allInstitutions } from '../../wire/bank-codes.ts';
import { correlationIdPattern } from '../../wire/headers.ts';
import type { Trouble } from '../../wire/result-codes.ts';
import { accessKeys, cryptoKeys, projects, secretKeys } from '../../database/schema.ts';
import type { KeyState } from '../../database/schema.ts';
import { reseal } from '../fixtures/reseal.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import {
  call,
  callEncrypted,
  encrypt,
  registration,
  send,
  sendRaw,
  signedHeaders,
  untilEnded,
} from '../fixtures/wire-client.ts';
import type { Alterations, Project, WireAnswer } from '../fixtures/wire-client.ts';
import { expectAnswer, expectEnvelope, opened } from './envelope.ts';
import type { Expected } from './envelope.ts';

let stack: Stack;
/** Accepts plain bodies. */
let lenient: Project;
/** Requires encryption and compares the holder with the member. */
let strict: Project;
/** Accepts plain bodies. Tests change the states of its keys. */
let changing: Project;
beforeAll(async () => {
  stack = await startStack();
  [lenient, strict] = stack.projects;
  changing = await addProject('TESTINGASP00003');
});
afterAll(() => stack.close());

const basePath = '/open-api/api/v1';
const institutions = basePath + listInstitutions.path;
const hour = 60 * 60 * 1_000;
const minute = 60 * 1_000;

/** Sends an empty request for the institutions, the simplest valid request. */
const askInstitutions = (alterations?: Alterations, project = lenient, body: string | Uint8Array = '{}') =>
  send(stack.url, project, institutions, body, alterations);

describe('headers', () => {
  it.for([
    ['X-KM-User-AspId', null, '000_003'],
    ['X-KM-User-AspId', '', '000_002'],
    ['X-KM-User-AspId', 'SANDBOXASP0000', '000_015'],
    ['X-KM-User-AspId', 'SANDBOXASP000011', '000_015'],
    ['X-KM-User-AspId', 'SANDBOX SP00001', '000_002'],
    ['X-KM-User-AspId', 'SANDBOXASP0000é', '000_002'],
    ['X-KM-Correlation-Id', null, '000_003'],
    ['X-KM-Correlation-Id', '', '000_002'],
    ['X-KM-Correlation-Id', '261122093015-abcdef', '000_015'],
    ['X-KM-Correlation-Id', '261122093015-abcdef01', '000_015'],
    ['X-KM-Correlation-Id', '261122093015 abcdef0', '000_002'],
    ['X-KM-Correlation-Id', '261122093015-abcd\u00e9f0', '000_002'],
    ['X-KM-Access-Key', null, '000_003'],
    ['X-KM-Access-Key', '', '000_002'],
    ['X-KM-Access-Key', 'a'.repeat(39), '000_015'],
    ['X-KM-Access-Key', 'a'.repeat(41), '000_015'],
    ['X-KM-Crypto-Key-Id', 'a'.repeat(31), '000_015'],
    ['X-KM-Crypto-Key-Id', 'a'.repeat(33), '000_015'],
    ['X-KM-Tran-Token', null, '000_003'],
    ['X-KM-Tran-Token', '', '000_002'],
    ['X-KM-Tran-Token', 'KMV1', '000_002'],
    ['X-KM-Tran-Token', `KMV2:20261122093015123:${'A'.repeat(43)}=`, '000_002'],
    ['X-KM-Tran-Token', `KMV1:20261122093015:${'A'.repeat(43)}=`, '000_002'],
    ['X-KM-Tran-Token', `KMV1:20261122093015123:${'A'.repeat(42)}`, '000_002'],
    ['X-KM-Tran-Token', `KMV1:20261122093015123:${'A'.repeat(43)}==`, '000_002'],
    ['X-KM-Tran-Token', `KMV1:20261122093015123:${'_'.repeat(43)}=`, '000_002'],
    ['X-KM-Tran-Token', `KMV1:20261322093015123:${'A'.repeat(43)}=`, '000_903'],
    ['X-KM-Tran-Time', null, '000_003'],
    ['X-KM-Tran-Time', '', '000_002'],
    ['X-KM-Tran-Time', '2026112209301', '000_015'],
    ['X-KM-Tran-Time', '202611220930151', '000_015'],
    ['X-KM-Tran-Time', '2026112209301x', '000_002'],
    ['X-KM-Tran-Time', '20260230093015', '000_002'],
    ['X-KM-Tran-Time', '20261322093015', '000_002'],
    ['X-KM-Tran-Time', '20261122243015', '000_002'],
    ['X-KM-Tran-Time', '20261122096015', '000_002'],
    ['X-KM-Time-Zone', null, '000_003'],
    ['X-KM-Time-Zone', '', '000_002'],
    ['X-KM-Time-Zone', 'UT', '000_015'],
    ['X-KM-Time-Zone', 'Asia/Seoul', '000_015'],
    ['X-KM-Time-Zone', 'utc', '000_002'],
    ['X-KM-Time-Zone', 'XYZ', '000_002'],
  ] as const)('%s of %j: %s', async ([name, value, code]) => {
    const answer = await askInstitutions({ headers: { [name]: value } });
    expectAnswer(answer, code === '000_903' ? code : `${code} ${name}`);
  });

  it('X-KM-Crypto-Key-Id may be empty with a plain body', async () => {
    const headers = { 'X-KM-Crypto-Key-Id': '' };
    expectAnswer(await askInstitutions({ headers }), '000_000', listInstitutions);
  });

  it('have case-insensitive names', async () => {
    for (const change of [
      (name: string) => name,
      (name: string) => name.toLowerCase(),
      (name: string) => name.toUpperCase(),
    ]) {
      const headers = Object.entries(signedHeaders(lenient, '{}'))
        .map(([name, value]) => `${change(name)}: ${value}\r\n`)
        .join('');
      const answer = await sendRaw(stack.url, rawRequest(headers, '{}'));
      expect(answer).toContain('"response":{"code":"000_000","description":"Success."}');
    }
  });

  it.for([
    ['an unknown provider', { 'X-KM-User-AspId': 'SANDBOXASP99999' }],
    ['an unknown access key', { 'X-KM-Access-Key': 'a'.repeat(40) }],
  ] as const)('are refused for %s', async ([, headers]) => {
    expectAnswer(await askInstitutions({ headers }), '000_901');
  });

  it("are refused for another provider's access key", async () => {
    const headers = { 'X-KM-Access-Key': strict.accessKey };
    expectAnswer(await askInstitutions({ headers }), '000_901');
  });
});

describe('states of a project and its keys', () => {
  /** A running API may take a second to notice a change. */
  const expectCode = (code: string) =>
    expect
      .poll(async () => (await askInstitutions({}, changing)).body.response.code, { timeout: 10_000 })
      .toBe(code);

  // Changes the tables directly, because the stores never reactivate what is discarded.
  const setters: Readonly<Record<string, (state: KeyState) => Promise<unknown>>> = {
    project: (state) =>
      stack.database.queries.update(projects).set({ state }).where(eq(projects.aspId, changing.aspId)),
    'access key': (state) =>
      stack.database.queries.update(accessKeys).set({ state }).where(eq(accessKeys.aspId, changing.aspId)),
    'secret key': (state) =>
      stack.database.queries.update(secretKeys).set({ state }).where(eq(secretKeys.aspId, changing.aspId)),
    'crypto key': (state) =>
      stack.database.queries.update(cryptoKeys).set({ state }).where(eq(cryptoKeys.aspId, changing.aspId)),
  };

  async function setState(name: string, state: KeyState): Promise<void> {
    await setters[name]!(state);
    await reseal(stack);
  }

  it.for([
    ['project', 'INACTIVE'],
    ['project', 'DISCARDED'],
    ['access key', 'INACTIVE'],
    ['access key', 'DISCARDED'],
    ['secret key', 'INACTIVE'],
    ['secret key', 'DISCARDED'],
  ] as const)('a %s that is %s is refused until it is active', async ([name, state]) => {
    await expectCode('000_000');
    await setState(name, state);
    await expectCode('000_902');
    expectAnswer(await askInstitutions({}, changing), '000_902');
    await setState(name, 'ACTIVE');
    await expectCode('000_000');
  });

  it.for(['INACTIVE', 'DISCARDED'] as const)('a crypto key that is %s decrypts nothing', async (state) => {
    const code = async () =>
      (await callEncrypted(stack.url, changing, '/institutions', {})).body.response.code;
    await expect.poll(code, { timeout: 10_000 }).toBe('000_000');
    await setState('crypto key', state);
    await expect.poll(code, { timeout: 10_000 }).toBe('000_907');
    await setState('crypto key', 'ACTIVE');
    await expect.poll(code, { timeout: 10_000 }).toBe('000_000');
  });
});

describe('the transaction token', () => {
  it('is accepted with 67 characters, padded, and with 66, unpadded', async () => {
    const token = signedHeaders(lenient, '{}')['X-KM-Tran-Token']!;
    expect(token).toHaveLength(67);
    for (const accepted of [token, token.slice(0, 66)]) {
      expectAnswer(await askInstitutions({ headers: { 'X-KM-Tran-Token': accepted } }), '000_000');
    }
  });

  it.for([
    ['by another key', (project: Project) => ({ ...project, secretKey: 'another-key' }), '{}'],
    ['by the key of another project', () => strict, '{}'],
    ['by the access key', (project: Project) => ({ ...project, secretKey: project.accessKey }), '{}'],
    ['by an empty key', (project: Project) => ({ ...project, secretKey: '' }), '{}'],
    ['for another body', (project: Project) => project, '{} '],
    ['for an empty body', (project: Project) => project, ''],
  ] as const)('is refused when signed %s', async ([, signer, body]) => {
    const headers = { 'X-KM-Tran-Token': signedHeaders(signer(lenient), body)['X-KM-Tran-Token']! };
    expectAnswer(await askInstitutions({ headers }), '000_903');
  });

  it.for(['{"userId":10000000001} ', '{"userId":10000000002}', '{ "userId":10000000001}', ''])(
    'is refused when the body was altered to %j after signing',
    async (sentBody) => {
      const body = '{"userId":10000000001}';
      const path = basePath + issueArsCode.path;
      expectAnswer(await send(stack.url, lenient, path, body, { sentBody }), '000_903');
    },
  );

  it('is refused when an encrypted body was altered after signing', async () => {
    const encData = await encrypt('{}', lenient);
    const headers = { 'X-KM-Crypto-Key-Id': lenient.cryptoKeyId };
    const sentBody = JSON.stringify({ encData: await encrypt('{}', lenient) });
    expectAnswer(
      await askInstitutions({ headers, sentBody }, lenient, JSON.stringify({ encData })),
      '000_903',
    );
  });
});

describe('the times', () => {
  it.for([
    ['UTC', 0, '000_000'],
    ['UTC', 9 * minute, '000_000'],
    ['UTC', -9 * minute, '000_000'],
    ['UTC', 11 * minute, '000_904'],
    ['UTC', -11 * minute, '000_904'],
    ['UTC', 9 * hour, '000_904'],
    ['KST', 9 * hour, '000_000'],
    ['KST', 9 * hour + 9 * minute, '000_000'],
    ['KST', 9 * hour - 11 * minute, '000_904'],
    ['KST', 0, '000_904'],
    ['ICT', 7 * hour, '000_000'],
  ] as const)('in %s, %d ms from now: %s', async ([zone, clockOffset, code]) => {
    expectAnswer(await askInstitutions({ clockOffset, headers: { 'X-KM-Time-Zone': zone } }), code);
  });

  it.for(['X-KM-Tran-Time', 'X-KM-Tran-Token'])('must both be recent: an old %s is refused', async (name) => {
    for (const offset of [-11 * minute, 11 * minute]) {
      const headers = { [name]: signedHeaders(lenient, '{}', offset)[name]! };
      expectAnswer(await askInstitutions({ headers }), '000_904');
    }
  });

  it.for(['20260230093015123', '20261322093015123', '20261122093060123'])(
    'must exist: %s in the token is refused',
    async (time) => {
      const token = signedHeaders(lenient, '{}')['X-KM-Tran-Token']!;
      const headers = { 'X-KM-Tran-Token': `KMV1:${time}${token.slice(22)}` };
      expectAnswer(await askInstitutions({ headers }), '000_002 X-KM-Tran-Token');
    },
  );
});

describe('each operation', () => {
  const unknown = { regNo: '261122093000AB12CD34EF' };
  const userIdOf = ({ userId }: Record<string, unknown>) => ({ userId });
  /** A valid request of each operation, derived from a registration request, and its result for a new member. */
  const requests: Readonly<
    Record<string, readonly [(body: Record<string, unknown>) => Record<string, unknown>, Expected]>
  > = {
    '/bankaccounts/user/valid': [(body) => body, '000_000'],
    '/bankaccounts/ars/auth': [userIdOf, '000_000'],
    '/bankaccounts/ars/register': [(body) => ({ ...body, mobileNumber: '01012341234' }), '000_000'],
    '/bankaccounts/ars/register/inquiry': [() => unknown, '002_019'],
    '/bankaccounts/ars/register/cancel': [() => ({ ...unknown, action: 'cancel' }), '002_019'],
    '/bankaccounts/ars/register/timeline': [() => unknown, '002_019'],
    '/bankaccounts/ars/register/list': [() => ({ limit: 3 }), '000_000'],
    '/bankaccounts/info': [userIdOf, '002_916'],
    '/bankaccounts/inquiry': [userIdOf, '002_916'],
    '/bankaccounts/as-rcg-svc/ars/register': [userIdOf, '002_916'],
    '/bankaccounts/delete': [userIdOf, '002_916'],
    '/bankaccounts/institutions': [() => ({}), '000_000'],
  };
  const rows = bankAccountOperations.flatMap((operation, index) => {
    const [body, expected] = requests[operation.path]!;
    return ['/api/v1', basePath].map(
      (base, baseIndex) =>
        [`${base}${operation.path}`, operation, body, expected, index * 4 + baseIndex * 2] as const,
    );
  });

  it.for(rows)('%s accepts a plain body', async ([path, operation, body, expected, member]) => {
    const content = JSON.stringify(body(registration(lenient, member)));
    expectAnswer(await send(stack.url, lenient, path, content), expected, operation);
  });

  it.for(rows)(
    '%s accepts an encrypted body, A128GCM or A256GCM',
    async ([path, operation, body, expected, member]) => {
      for (const [index, enc] of ['A128GCM', 'A256GCM'].entries()) {
        const content = JSON.stringify(body(registration(strict, member + index)));
        const encrypted = JSON.stringify({ encData: await encrypt(content, strict, enc) });
        const headers = { 'X-KM-Crypto-Key-Id': strict.cryptoKeyId };
        expectAnswer(await send(stack.url, strict, path, encrypted, { headers }), expected, operation);
      }
    },
  );

  it.for(rows)(
    '%s accepts a plain body from a project that requires encryption only if it documents one',
    async ([path, operation, body, expected]) => {
      const answer = await send(stack.url, strict, path, JSON.stringify(body(registration(strict, 99))));
      expectAnswer(answer, operation.encrypted ? '000_906' : expected, operation);
    },
  );

  it.for(
    rows.flatMap(([path]) =>
      ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'].map((method) => [method, path] as const),
    ),
  )('refuses %s %s', async ([method, path]) => {
    const answer = await send(stack.url, lenient, path, '{}', { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expectAnswer(answer, '000_910');
  });

  it('refuses HEAD without a body', async () => {
    const answer = await askInstitutions({ method: 'HEAD' });
    expect([answer.status, answer.headers.get('allow'), answer.text]).toEqual([405, 'POST', '']);
  });

  it('returns a registered account, complete only if encrypted', async () => {
    const body = registration(lenient, 62);
    const { userId } = body;
    const accepted = await call(stack.url, lenient, '/ars/register', body);
    const number = String(accepted.body['bankAccRegNo']);
    expect((await untilEnded(stack.url, lenient, number)).body['status']).toBe('BANK_ACC_REGISTERED');
    await stack.temporal.workflow.getHandle(String(userId)).result();

    const masked = await call(stack.url, lenient, '/info', { userId });
    expectAnswer(masked, '000_000', getAccount);
    expect(masked.text).toContain(`{"userId":${String(userId)},`);
    expect(masked.text).not.toContain('11012345678');
    expect(masked.text).not.toContain(body['userName']);
    const full = await callEncrypted(stack.url, lenient, '/info', { userId });
    expect(full.text).toMatch(/^\{"encData":"[\w-]+(\.[\w-]+){4}"\}$/);
    const account = await opened(full, lenient);
    expectAnswer(account, '000_000', getAccount);
    expect(account.body['accountInfo']).toMatchObject({
      bankAccount: '11012345678',
      userName: body['userName'],
    });

    expectAnswer(await call(stack.url, lenient, '/inquiry', { userId }), '000_000', inquireAccount);
    expectAnswer(
      await call(stack.url, lenient, '/ars/register/timeline', { regNo: number }),
      '000_000',
      getTimeline,
    );
    for (const ask of [call, callEncrypted]) {
      const registered = await ask(stack.url, lenient, '/as-rcg-svc/ars/register', { userId });
      expect(registered.body['encData']).toEqual(expect.any(String));
      expectAnswer(await opened(registered, lenient), '000_000', registerForAutoCharge);
    }
    expectAnswer(await call(stack.url, lenient, '/delete', { userId }), '000_000', deleteAccount);
    expectAnswer(await call(stack.url, lenient, '/info', { userId }), '002_916', getAccount);
  });

  it('returns the status of a running and of an ended registration', async () => {
    const accepted = await call(stack.url, lenient, '/ars/register', registration(lenient, 60));
    expectAnswer(accepted, '000_000', registerAccount);
    const regNo = String(accepted.body['bankAccRegNo']);
    expectAnswer(
      await call(stack.url, lenient, '/ars/register/inquiry', { regNo }),
      '000_000',
      inquireRegistrationStatus,
    );
    const ended = await untilEnded(stack.url, lenient, regNo);
    expectAnswer(ended, '000_000', inquireRegistrationStatus);
    expect(ended.body['status']).toBe('BANK_ACC_REGISTERED');
  });

  it('returns status and code of a failed registration', async () => {
    const body = registration(lenient, 61, { bankAccount: '11012349003' });
    const accepted = await call(stack.url, lenient, '/ars/register', body);
    const ended = await untilEnded(stack.url, lenient, String(accepted.body['bankAccRegNo']));
    expectAnswer(ended, '002_016', inquireRegistrationStatus);
    const failure = { status: 'BANK_ACC_REG_FAILED', reason: 'RESTRICTED_ACCOUNT', retryable: false };
    expect(ended.body).toMatchObject(failure);
  });

  it('lists the banks', async () => {
    const { body } = await askInstitutions();
    const listed = Object.entries(allInstitutions)
      .filter(([, { kind }]) => kind === 'BANK')
      .map(([bankCode, { ko, en }]) => ({ bankCode, bankName: en, bankNameKo: ko, bankNameEn: en }));
    expect(body['institutions']).toHaveLength(listed.length);
    expect(body['institutions']).toEqual(expect.arrayContaining(listed));
  });

  it.for([
    ['005', '081', '하나은행'],
    ['010', '011', '농협은행'],
    ['021', '088', '신한은행'],
  ] as const)('takes the bank code %s of a test member for %s', async ([sent, current, ko]) => {
    const body = registration(lenient, 73, { bankCode: sent, bankName: ' NH농협은행 '.normalize('NFD') });
    expectAnswer(await call(stack.url, lenient, '/user/valid', body), '000_000');
    const accepted = await call(stack.url, lenient, '/ars/register', body);
    await untilEnded(stack.url, lenient, String(accepted.body['bankAccRegNo']));
    const { userId, bankName } = body;
    const { accountInfo } = (await call(stack.url, lenient, '/info', { userId })).body;
    expect(accountInfo).toMatchObject({ bankCode: current, bankName, bankNameKo: ko });
  });

  it.for(['050', '064', '264'])(
    'takes the institution %s for a project that accepts it',
    async (bankCode) => {
      const project = await addProject(`INSTITUTIONS${bankCode}`);
      const [userId] = [`9${bankCode}`];
      const facts = { userName: '김하늘', birthDate: '19900131', mobileNumber: '01012341234' };
      await stack.stores.members.add(project.aspId, [{ userId, ...facts }]);
      const account = { bankCode, bankName: '기타', bankAccount: '11012345678' };
      const ask = (path: string) => call(stack.url, project, path, { userId, ...facts, ...account });
      const listed = async () =>
        (await call(stack.url, project, '/institutions', {})).body['institutions'] as { bankCode: string }[];
      for (const path of ['/user/valid', '/ars/register']) expectAnswer(await ask(path), '000_002 bankCode');
      expect((await listed()).map((one) => one.bankCode)).not.toContain(bankCode);
      await stack.stores.projects.setAcceptsAllInstitutions(project.aspId, true);
      await expect.poll(listed).toHaveLength(Object.keys(allInstitutions).length);
      for (const path of ['/user/valid', '/ars/register']) expectAnswer(await ask(path), '000_000');
    },
  );
});

describe('real-name verification', () => {
  it.for([
    ['9001', '002_901'],
    ['9098', '002_902'],
    ['9091', '002_903'],
    ['9092', '002_904'],
    ['9093', '002_905'],
    ['9094', '002_906'],
    ['9095', '002_907'],
    ['9096', '002_908'],
    ['9097', '002_909'],
  ] as const)('of an account that ends in %s: %s', async ([digits, code]) => {
    const body = registration(lenient, 70, { bankAccount: `1101234${digits}` });
    expectAnswer(await call(stack.url, lenient, '/user/valid', body), code, validateAccountHolder);
  });

  it.for([{ userName: '다른이' }, { birthDate: '19100101' }])(
    'refuses %o where the holder must be the member',
    async (other) => {
      const answer = await callEncrypted(stack.url, strict, '/user/valid', registration(strict, 70, other));
      expectAnswer(answer, '002_911', validateAccountHolder);
    },
  );

  it('register refuses another holder itself, and gives no number', async () => {
    const body = registration(strict, 74, { userName: '다른이' });
    const answer = await callEncrypted(stack.url, strict, '/ars/register', body);
    expectAnswer(answer, '002_911', registerAccount);
    expect(answer.body).not.toHaveProperty('bankAccRegNo');
  });
});

describe('the member’s own name', () => {
  it.for([
    ['decomposed', (name: string) => name.normalize('NFD')],
    ['with a space at the end', (name: string) => `${name} `],
    ['with a space within', (name: string) => `${name.slice(0, 1)}\u3000${name.slice(1)}`],
    ['after a zero-width space', (name: string) => `\u200b${name}`],
  ] as const)('is recognised %s', async ([, spell]) => {
    const { userName } = strict.members[70]!;
    const body = registration(strict, 70, { userName: spell(userName) });
    const answer = await callEncrypted(stack.url, strict, '/user/valid', body);
    expectAnswer(answer, '000_000', validateAccountHolder);
  });

  it('is masked by characters in a plain answer, however it was encoded', async () => {
    const body = registration(lenient, 71, { userName: '정예린'.normalize('NFD') });
    const accepted = await call(stack.url, lenient, '/ars/register', body);
    await untilEnded(stack.url, lenient, String(accepted.body['bankAccRegNo']));
    const { userId } = body;
    const answer = await call(stack.url, lenient, '/info', { userId });
    expect(answer.body['accountInfo']).toMatchObject({ userName: '정*린' });
  });
});

it('an account number and a phone number are stored and given on in one form', async () => {
  const spelt = { bankAccount: '１１０－１２３４ 5678', mobileNumber: '+82 10-1234-1234' };
  const body = registration(strict, 72, spelt);
  const accepted = await callEncrypted(stack.url, strict, '/ars/register', body);
  const regNo = String(accepted.body['bankAccRegNo']);
  expectAnswer(await untilEnded(stack.url, strict, regNo), '000_000');
  const info = await callEncrypted(stack.url, strict, '/info', { userId: body['userId'] });
  expect((await opened(info, strict)).body['accountInfo']).toMatchObject({ bankAccount: '11012345678' });
  const ledger = await fetch(
    `${stack.simulatorUrl}/simulator/registrations?userId=${String(body['userId'])}`,
  );
  expect(await ledger.json()).toMatchObject([{ bankAccount: '11012345678' }]);
  const { details } = await stack.stores.registrations.openAny(regNo);
  expect(details).toMatchObject({ accountNumber: '11012345678', mobileNumber: '01012341234' });
});

describe('encrypted bodies', () => {
  const sendEncrypted = (encData: unknown, keyId: string | null = lenient.cryptoKeyId) =>
    askInstitutions({ headers: { 'X-KM-Crypto-Key-Id': keyId } }, lenient, JSON.stringify({ encData }));

  it('need a key ID', async () => {
    expectAnswer(await sendEncrypted(await encrypt('{}', lenient), null), '000_003 X-KM-Crypto-Key-Id');
  });

  it.for([
    ['an unknown key', () => 'f'.repeat(32)],
    ["another project's key", () => strict.cryptoKeyId],
  ] as const)('are refused under the ID of %s', async ([, keyId]) => {
    expectAnswer(await sendEncrypted(await encrypt('{}', lenient), keyId()), '000_907 KEY_ID');
  });

  it('are refused when encrypted for another key', async () => {
    expectAnswer(await sendEncrypted(await encrypt('{}', strict)), '000_907 KEY');
  });

  it.for([
    ['A128GCM', 'RSA-OAEP'],
    ['A128GCM', 'RSA-OAEP-512'],
    ['A192GCM', 'RSA-OAEP-256'],
    ['A128CBC-HS256', 'RSA-OAEP-256'],
  ] as const)('are refused under %s with %s', async ([enc, alg]) => {
    expectAnswer(await sendEncrypted(await encrypt('{}', lenient, enc, alg)), '000_907 ALGORITHM');
  });

  it('are refused when they are compressed', async () => {
    const large = JSON.stringify({ padding: 'a'.repeat(200_000) });
    const jwe = await encrypt(large, lenient, 'A128GCM', 'RSA-OAEP-256', { zip: 'DEF' });
    expect(jwe.length).toBeLessThan(2_000);
    expectAnswer(await sendEncrypted(jwe), '000_907 ALGORITHM');
  });

  it('are refused with Base64 padding', async () => {
    const jwe = await encrypt('{}', lenient);
    for (const padded of [`${jwe}==`, jwe.replace('.', '=.'), jwe.replace(/.$/, '+')])
      expectAnswer(await sendEncrypted(padded), '000_907 PADDING');
  });

  it('are refused when they end too early', async () => {
    const jwe = await encrypt('{}', lenient);
    expectAnswer(await sendEncrypted(jwe.slice(0, jwe.lastIndexOf('.'))), '000_907 NOT_A_JWE');
  });

  it.for([0, 1, 2, 3, 4])('are refused when part %d was altered', async (part) => {
    const parts = (await encrypt('{}', lenient)).split('.');
    const bytes = Buffer.from(parts[part]!, 'base64url');
    bytes[0]! ^= 1;
    parts[part] = bytes.toString('base64url');
    expectAnswer(await sendEncrypted(parts.join('.')), '000_907');
  });

  it.for([[1], [{}], [['a']], [''], ['a.b.c.d.e'], ['....'], ['{}'], [true]])(
    'are refused when encData is %j',
    async ([encData]) => {
      expectAnswer(await sendEncrypted(encData), '000_907');
    },
  );
});

describe('bodies that are not a JSON object in UTF-8', () => {
  const bodies: readonly (readonly [string, string | Uint8Array, Trouble])[] = [
    ['half an object', '{"userId":1', 'TRUNCATED'],
    ['an array', '[]', 'NOT_AN_OBJECT'],
    ['a string', '"{}"', 'NOT_AN_OBJECT'],
    ['null', 'null', 'NOT_AN_OBJECT'],
    ['a number', '1', 'NOT_AN_OBJECT'],
    ['nothing', '', 'TRUNCATED'],
    ['blanks', '   ', 'TRUNCATED'],
    ['two objects', '{}{}', 'MALFORMED'],
    ['a comment', '{/**/}', 'MALFORMED'],
    ['a trailing comma', '{"userId":1,}', 'MALFORMED'],
    ['single quotes', "{'userId':1}", 'MALFORMED'],
    ['a number with a leading zero', '{"userId":01}', 'MALFORMED'],
    ['a key twice', '{"userId":10000000001,"userId":10000000002}', 'DUPLICATE_KEY'],
    ['a bad escape', '{"userId":"\\x31"}', 'MALFORMED'],
    ['bad UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'NOT_UTF8'],
    ['half a character', Buffer.from('{"a":"é"}', 'latin1'), 'NOT_UTF8'],
    ['UTF-16', Buffer.from('{"userId":1}', 'utf16le'), 'MALFORMED'],
    ['an object that ends in a key', '{"userId', 'TRUNCATED'],
    ['an object that ends after a colon', '{"userId":', 'TRUNCATED'],
    ['too many levels', '['.repeat(30_000), 'MALFORMED'],
    ['too many levels of objects', '{"a":'.repeat(9_000), 'MALFORMED'],
  ];

  it.for(bodies)('plain: %s', async ([, body, trouble]) => {
    expectAnswer(await askInstitutions({}, lenient, body), `000_908 ${trouble}`);
  });

  it.for(bodies)('encrypted: %s', async ([, content, trouble]) => {
    const body = JSON.stringify({ encData: await encrypt(content, lenient) });
    const headers = { 'X-KM-Crypto-Key-Id': lenient.cryptoKeyId };
    expectAnswer(await askInstitutions({ headers }, lenient, body), `000_908 ${trouble}`);
  });

  it('are called truncated wherever an object was cut', async () => {
    const whole = Buffer.from(
      String.raw`{"userId":1,"이름":"강\"\\\n현린\u00e9😀","flags":[true, false,null ,-1.5e-7,{}]}`,
    );
    for (let length = 0; length < whole.length; length++)
      expectAnswer(await askInstitutions({}, lenient, whole.subarray(0, length)), '000_908 TRUNCATED');
  });

  it('cannot change the prototype of an object', async () => {
    const body = '{"__proto__":{"userId":"10000000001"},"constructor":1}';
    expectAnswer(await send(stack.url, lenient, basePath + issueArsCode.path, body), '000_003 userId');
  });
});

describe('fields', () => {
  /** JSON texts of values with a wrong length or a wrong form. */
  const fields: Readonly<Record<string, { length: readonly string[]; form: readonly string[] }>> = {
    action: { length: [], form: ['""', '"delete"', '"CANCEL"', '1', 'true'] },
    userId: {
      length: ['"123456789012345678901"', '123456789012345678901', '-12345678901234567890'],
      form: ['"-1"', '-1', '"1e3"', '1e3', '"01"', '1.0', '0.5', '" 1"', '"1x"', '"１２"', '1E400'],
    },
    bankAccount: {
      length: ['"123456789012345678901"', '"1234-5678-9012-3456-7890-1"'],
      form: ['"12-"', '"12--34"', '"abc"', '12345678901'],
    },
    bankCode: { length: ['"03"', '"0003"'], form: ['"999"', '"0x3"', '"00３"', '3', '"toS"'] },
    bankName: {
      length: [`"${'가'.repeat(101)}"`],
      form: ['"  "', '"a\\u0000"', '"a\\u0007b"', '"a\\ue000"', '"\\ud800"', '1'],
    },
    userName: {
      length: [`"${'가'.repeat(101)}"`],
      form: ['"  "', '"a\\u0000"', '"a\\u202eb"', '"a\\ufffd"', '"\\u200b"', '"\\udc00"', '1'],
    },
    birthDate: {
      length: ['"1990013"', '"199001311"', '"1990-01-31"'],
      form: ['"20991231"', '"17000101"', '"19900132"', '"19901301"', '"19900230"', '"1990013x"', '19900131'],
    },
    mobileNumber: {
      length: ['"010123412"', '"010123412341234123412"'],
      form: [
        '"0000000000"',
        '"+15551234567"',
        '"010-123-4123"',
        '"0101234123x"',
        '"-01012341234"',
        '1012341234',
      ],
    },
    status: { length: [], form: ['"DONE"', '"bank_acc_registered"', '1'] },
    from: { length: [], form: ['"2026-11-22"', '"2026-11-22T09:30:15"', '"2026-02-30T00:00:00Z"', '1'] },
    to: { length: [], form: ['"yesterday"', '"2026-11-22T25:00:00Z"', '1'] },
    cursor: { length: ['"1"', '"261122093000AB12CD34EFG"'], form: ['"261122093000AB12CD34E-"', '1'] },
    limit: { length: [], form: ['0', '-1', '101', '1.5', '1e300', '"10"'] },
    regNo: {
      length: ['"261122093000AB12CD34E"', '"261122093000AB12CD34EFG"'],
      form: ['"261122093000AB12CD34E-"', '"261122093000AB12CD34E "', '1234567890123456789012'],
    },
  };
  const valid: Readonly<Record<string, string>> = {
    userId: '10000000099',
    bankAccount: '"11012345678"',
    bankCode: '"003"',
    bankName: '"IBK"',
    userName: '"김하늘"',
    birthDate: '"19900131"',
    mobileNumber: '"01012341234"',
    regNo: '"261122093000AB12CD34EF"',
  };

  const rows = bankAccountOperations.flatMap(({ path, request: { shape } }) =>
    Object.keys(shape).flatMap((name) => {
      const isOptional = (shape as z.ZodRawShape)[name] instanceof z.ZodOptional;
      const row = (code: string, value?: string) =>
        [path, name, value, `${code} ${name}` as Expected] as const;
      const { length, form } = fields[name]!;
      return [
        ...(isOptional ? [] : [row('000_003'), row('000_003', 'null')]),
        ...length.map((value) => row('000_015', value)),
        ...[...form, '""', '{}', '[]', '["1"]', 'true'].map((value) => row('000_002', value)),
      ].map((entry) => [entry, shape] as const);
    }),
  );

  it.for(rows)('%o', async ([[path, name, value, expected], shape]) => {
    const texts = { ...valid, [name]: value };
    const entries = Object.keys(shape).filter((key) => texts[key] !== undefined);
    const body = `{${entries.map((key) => `"${key}":${texts[key]}`).join(',')}}`;
    expectAnswer(await send(stack.url, lenient, basePath + path, body), expected);
  });

  it('that are optional may be null', async () => {
    const filter = { status: null, from: null, to: null, cursor: null, limit: null };
    expectAnswer(await call(stack.url, lenient, '/ars/register/list', filter), '000_000', listRegistrations);
    const request = registration(lenient, 91, { mobileNumber: null });
    expectAnswer(await call(stack.url, lenient, '/ars/register', request), '000_000', registerAccount);
  });

  it('that are unknown are ignored', async () => {
    const body = { userId: lenient.members[90]!.userId, somethingNew: { userId: 1 } };
    expectAnswer(await call(stack.url, lenient, '/ars/auth', body), '000_000', issueArsCode);
  });
});

describe('member IDs', () => {
  const userId = '12345678901234567890';
  const facts = { userName: '가나다', birthDate: '19850505', mobileNumber: '01055551234' };
  const account = { bankCode: '003', bankName: 'IBK', bankAccount: '11012345678' };

  beforeAll(() => stack.stores.members.add(lenient.aspId, [{ userId, ...facts }]));

  it.for([
    ['a number', userId],
    ['a string', `"${userId}"`],
  ] as const)('keep 20 digits as %s, through to the payment gateway', async ([, text]) => {
    const body = JSON.stringify({ ...facts, ...account }).replace('{', `{"userId":${text},`);
    const answer = await send(stack.url, lenient, basePath + registerAccount.path, body);
    expectAnswer(answer, '000_000', registerAccount);
    const regNo = String(answer.body['bankAccRegNo']);
    expect((await untilEnded(stack.url, lenient, regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
    const ledger = await fetch(`${stack.simulatorUrl}/simulator/registrations?userId=${userId}`);
    expect(await ledger.json()).toContainEqual(
      expect.objectContaining({ bankAccRegNo: regNo, userId, state: 'REGISTERED' }),
    );
  });

  it.for(['12345678901234567891', '12345678901234567000', '1234567890123456789', '0'])(
    'are not rounded: %s is unknown',
    async (neighbour) => {
      const body = `{"userId":${neighbour}}`;
      expectAnswer(await send(stack.url, lenient, basePath + issueArsCode.path, body), '001_006');
    },
  );
});

describe('HTTP', () => {
  it.for([
    '/api/v1',
    '/api/v1/bankaccounts',
    '/api/v2/bankaccounts/institutions',
    '/open-api/bankaccounts/institutions',
    '/api/v1/bankaccounts/institutions/',
    '/api/v1/bankaccounts/Institutions',
    '/api/v1/bankaccounts/institutions%00',
    '/api/v1/%zz',
    '//api/v1/bankaccounts/institutions',
  ])('%s does not exist', async (path) => {
    for (const method of ['POST', 'GET', 'DELETE']) {
      expectAnswer(await send(stack.url, lenient, path, '{}', { method }), '000_909');
    }
  });

  it.for([
    [null, '000_912 OTHER_TYPE'],
    ['', '000_912 OTHER_TYPE'],
    ['text/plain', '000_912 OTHER_TYPE'],
    ['application/x-www-form-urlencoded', '000_912 OTHER_TYPE'],
    ['application/jsonx', '000_912 OTHER_TYPE'],
    ['application/json-patch+json', '000_912 OTHER_TYPE'],
    ['application/json, text/plain', '000_912 OTHER_TYPE'],
    ['application/json; charset=euc-kr', '000_912 OTHER_CHARSET'],
    ['application/json; charset=utf-16; x=1', '000_912 OTHER_CHARSET'],
    ['application/json; charset=klingon', '000_912 OTHER_CHARSET'],
    ['application/json', '000_000'],
    ['application/json; charset=utf-8', '000_000'],
    ['application/json;charset=UTF-8', '000_000'],
    ['Application/JSON; charset="utf-8"', '000_000'],
    ['application/json; charset=utf-8; x=1', '000_000'],
    ['application/json\t;\tcharset=utf-8', '000_000'],
    ['application/json; odata.metadata=none; charset="UTF8"', '000_000'],
  ] as const)('content type %j: %s', async ([contentType, code]) => {
    expectAnswer(await askInstitutions({ headers: { 'Content-Type': contentType } }), code);
  });

  it.for([
    ['gzip', '000_912 CONTENT_ENCODING'],
    ['br', '000_912 CONTENT_ENCODING'],
    ['identity', '000_000'],
  ] as const)('content encoding %s: %s', async ([encoding, code]) => {
    expectAnswer(await askInstitutions({ headers: { 'Content-Encoding': encoding } }), code);
  });

  const limit = 64 * 1024;
  const bodyOf = (bytes: number) => `{}${' '.repeat(bytes - 2)}`;

  it.for([
    [limit, '000_000'],
    [limit + 1, '000_911'],
    [4 * limit, '000_911'],
  ] as const)('body of %d bytes: %s', async ([bytes, code]) => {
    const answer = await askInstitutions({}, lenient, bodyOf(bytes));
    expectAnswer(answer, code);
    // A connection with an unread body cannot be reused; the client's pool has to know that.
    expect(answer.headers.get('connection')).toBe(code === '000_911' ? 'close' : 'keep-alive');
  });

  it.for([
    [limit, '000_000'],
    [limit + 1, '000_911'],
    [4 * limit, '000_911'],
  ] as const)('body of %d bytes in chunks: %s', async ([bytes, code]) => {
    expectAnswer(await sendInChunks(bodyOf(bytes)), code);
  });

  it('refuses headers that are too large', async () => {
    const answer = await sendRaw(stack.url, rawRequest(`X-Large: ${'a'.repeat(17 * 1024)}\r\n`, '{}'));
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*"code":"000_911","description":"The request is too large\."/s);
  });

  it.for([
    'hello\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'GET / HTTP/9.9\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    `POST ${institutions} HTTP/1.1\r\nHost: here\r\nContent-Length: many\r\n\r\n`,
    `POST ${institutions} HTTP/1.1\r\nHost: here\r\nContent-Length: -1\r\n\r\n`,
    `POST ${institutions} HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
    `POST ${institutions} HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    `POST ${institutions} HTTP/1.1\r\nHost: here\r\nX-Bad: a\0b\r\n\r\n`,
    `POST ${institutions} HTTP/1.1\r\nHost: here\r\nBad Name: a\r\n\r\n`,
    `POST ${institutions} HTTP/1.1\r\nHost: not a host\r\nConnection: close\r\n\r\n`,
    `POST ${institutions} HTTP/1.1\r\nHost: here/there?\r\nConnection: close\r\n\r\n`,
    `POST ${institutions} HTTP/1.1\r\nConnection: close\r\n\r\n`,
    `POST http://[ HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n`,
    `POST \\api HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n`,
  ])('refuses malformed HTTP: %j', async (bytes) => {
    const answer = await sendRaw(stack.url, Buffer.from(bytes, 'latin1'));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(
      '{"response":{"code":"000_913","description":"The request is not valid HTTP."}}',
    );
  });

  it('refuses TRACE and echoes nothing', async () => {
    const answer = await sendRaw(
      stack.url,
      `TRACE ${institutions} HTTP/1.1\r\nHost: here\r\nX-Secret: planted\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 405 .*\r\nallow: POST\r\n.*"code":"000_910"/is);
    expect(answer).not.toContain('planted');
  });

  it('does not reveal its software', async () => {
    const { headers } = await askInstitutions();
    expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('the correlation ID', () => {
  it.for(['261122093015-abcdef0', '000000000000-ABCDEF9', '261122093015-abcdefg', 'a1b2c3d4:e5f6_g7.h8/'])(
    '%s is echoed',
    async (id) => {
      for (const [body, code] of [
        ['{}', '000_000'],
        ['[]', '000_908'],
      ] as const) {
        const answer = await askInstitutions({ headers: { 'X-KM-Correlation-Id': id } }, lenient, body);
        expectAnswer(answer, code);
        expect(answer.headers.get('x-km-correlation-id')).toBe(id);
      }
    },
  );

  it.for([null, '', '1', '261122093015 abcdef0', '261122093015-abcdef0<script>'])(
    '%j is replaced by a valid one',
    async (id) => {
      const answer = await askInstitutions({ headers: { 'X-KM-Correlation-Id': id } });
      expectEnvelope(answer);
      expect(answer.headers.get('x-km-correlation-id')).toMatch(correlationIdPattern);
    },
  );

  it('is present for an unknown path', async () => {
    const response = await fetch(`${stack.url}/nowhere`);
    expect(response.headers.get('x-km-correlation-id')).toMatch(correlationIdPattern);
  });
});

/** Adds a project that accepts plain bodies. */
async function addProject(aspId: string): Promise<Project> {
  const pair = () =>
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
  const [server, client] = [pair(), pair()];
  const shared = {
    aspId,
    accessKey: randomBytes(20).toString('hex'),
    secretKey: randomBytes(32).toString('base64url'),
    cryptoKeyId: createHash('md5').update(aspId).digest('hex'),
  };
  await stack.stores.projects.add({
    ...shared,
    demandsEncryption: false,
    comparesMember: false,
    serverPrivateKey: server.privateKey,
    clientPublicKey: client.publicKey,
  });
  return {
    ...shared,
    serverPublicKey: server.publicKey,
    clientPrivateKey: client.privateKey,
    members: [],
  };
}

function rawRequest(headers: string, body: string): string {
  return (
    `POST ${institutions} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: ${body.length}\r\n` +
    `${headers}\r\n${body}`
  );
}

/** Sends a body in chunks, without Content-Length. */
async function sendInChunks(body: string): Promise<WireAnswer> {
  const outgoing = beginRequest(`${stack.url}${institutions}`, {
    method: 'POST',
    headers: signedHeaders(lenient, body),
  });
  const responded = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  for (let start = 0; start < body.length; start += 16 * 1024) {
    outgoing.write(body.slice(start, start + 16 * 1024));
    await nextTurn();
  }
  outgoing.end();
  const [incoming] = await responded;
  const text = Buffer.concat(await incoming.toArray()).toString();
  const headers = new Headers(incoming.headers as Record<string, string>);
  return { status: incoming.statusCode!, headers, text, body: JSON.parse(text) };
}
