import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sign } from '../../payment-gateway/http/signature.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, callEncrypted, decrypt, registration, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const success = { code: '000_000', description: 'Success.' };

async function register(project: Project, member: number, overrides: Readonly<Record<string, unknown>> = {}) {
  const body = registration(project, member, overrides);
  const accepted = await callEncrypted(stack.url, project, '/ars/register', body);
  return String(accepted.body['bankAccRegNo']);
}

async function registered(
  project: Project,
  member: number,
  overrides: Readonly<Record<string, unknown>> = {},
) {
  const regNo = await register(project, member, overrides);
  expect((await untilEnded(stack.url, project, regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
  return regNo;
}

async function ledgerOf(userId: string) {
  return await (await fetch(`${stack.simulatorUrl}/simulator/registrations?userId=${userId}`)).json();
}

describe('info', () => {
  it('gives the account in full in an encrypted answer and masked in a plain one', async () => {
    const project = stack.projects[0];
    const { userId, userName } = project.members[0]!;
    const regNo = await registered(project, 0);
    const encrypted = await callEncrypted(stack.url, project, '/info', { userId });
    expect(encrypted.headers.get('x-km-crypto-key-id')).toBe(project.cryptoKeyId);
    const content = await decrypt(String(encrypted.body['encData']), project);
    expect(content).toContain(`"userId":${userId}`);
    expect(JSON.parse(content)).toMatchObject({
      accountInfo: {
        userName,
        bankCode: '003',
        bankName: 'IBK',
        bankNameKo: '기업은행',
        bankNameEn: 'IBK',
        bankAccount: '11012345678',
        bankAccRegNo: regNo,
      },
      response: success,
    });

    const plain = await call(stack.url, project, '/info', { userId });
    expect(plain.body['accountInfo']).toMatchObject({
      accountId: expect.stringMatching(/^\d{5}$/),
      userName: `${userName[0]}*${userName[2]}`,
      bankAccount: '110****678',
    });
    expect(plain.headers.get('x-km-crypto-key-id')).toBeNull();
  });

  it('refuses when there is no registered account', async () => {
    const project = stack.projects[0];
    const { userId } = project.members[1]!;
    for (const endpoint of ['/info', '/inquiry', '/delete', '/as-rcg-svc/ars/register']) {
      const { status, body } = await call(stack.url, project, endpoint, { userId });
      expect([endpoint, status, body.response.code]).toEqual([endpoint, 400, '002_916']);
    }
  });
});

it('registers for auto charge with an encrypted response, and the inquiry shows it', async () => {
  const project = stack.projects[1];
  const { userId } = project.members[0]!;
  await registered(project, 0);
  const inquire = async () => (await call(stack.url, project, '/inquiry', { userId })).body;
  const bank = { bankCode: '003', bankName: 'IBK', bankNameKo: '기업은행', bankNameEn: 'IBK' };
  const account = { ...bank, bankAccount: '110****678', response: success };
  expect(await inquire()).toEqual({ ...account, isAutoRcgAccRegAllowed: true });
  const answer = await callEncrypted(stack.url, project, '/as-rcg-svc/ars/register', { userId });
  expect(JSON.parse(await decrypt(String(answer.body['encData']), project))).toEqual({ response: success });
  expect(await inquire()).toEqual({
    ...account,
    bankAccForAutoRcg: '110****678',
    isAutoRcgAccRegAllowed: false,
  });
});

it('refuses auto charge when the payment gateway does not know the account', async () => {
  const project = stack.projects[1];
  const { userId } = project.members[3]!;
  const reference = await registered(project, 3);
  const [path, body] = ['/v1/registrations/removal', JSON.stringify({ reference })];
  const headers = { ...sign(stack.paymentGatewaySecret, path, body), 'content-type': 'application/json' };
  expect((await fetch(stack.simulatorUrl + path, { method: 'POST', headers, body })).status).toBe(200);
  const answer = await callEncrypted(stack.url, project, '/as-rcg-svc/ars/register', { userId });
  expect(answer.body.response.code).toBe('002_917');
});

describe('delete', () => {
  it('deactivates the account, removes it at the payment gateway and keeps the evidence', async () => {
    const project = stack.projects[1];
    const { userId } = project.members[1]!;
    const regNo = await registered(project, 1);
    expect((await callEncrypted(stack.url, project, '/delete', { userId })).body).toEqual({
      response: success,
    });
    expect((await call(stack.url, project, '/inquiry', { userId })).body.response.code).toBe('002_916');
    await expect
      .poll(() => ledgerOf(userId), { timeout: 10_000 })
      .toEqual([expect.objectContaining({ bankAccRegNo: regNo, state: 'REMOVED' })]);
    const again = await callEncrypted(stack.url, project, '/delete', { userId });
    expect(again.body.response.code).toBe('000_000');
    expect(await stack.stores.consentEvidence.find(regNo)).toMatchObject({ format: 'wav' });
  });

  it('is refused while a registration of the member runs', async () => {
    const project = stack.projects[1];
    const { userId } = project.members[2]!;
    await registered(project, 2);
    const regNo = await register(project, 2, { mobileNumber: '01012340009' });
    for (const endpoint of ['/delete', '/as-rcg-svc/ars/register']) {
      const { body } = await callEncrypted(stack.url, project, endpoint, { userId });
      expect(body).toMatchObject({ bankAccRegNo: regNo, response: { code: '002_013' } });
    }
  });
});

describe('cancel', () => {
  const cancel = (project: Project, regNo: string) =>
    call(stack.url, project, '/ars/register/cancel', { regNo, action: 'cancel' });

  it('ends a registration whose phone rings; a later one can succeed', async () => {
    const project = stack.projects[0];
    const regNo = await register(project, 10, { mobileNumber: '01012340009' });
    expect((await cancel(project, regNo)).body).toEqual({ response: success });
    const { status, body } = await call(stack.url, project, '/ars/register/inquiry', { regNo });
    expect([status, body['status'], body.response.code]).toEqual([400, 'BANK_ACC_REG_FAILED', '002_914']);
    expect((await cancel(project, regNo)).body).toEqual({ response: success });
    expect(await ledgerOf(project.members[10]!.userId)).toEqual([]);
    await registered(project, 10);
  });

  it('is idempotent for concurrent requests', async () => {
    const project = stack.projects[0];
    const regNo = await register(project, 13, { mobileNumber: '01012340009' });
    const cancelOften = () => Array.from({ length: 5 }, () => cancel(project, regNo));
    const early = cancelOften();
    // The later ones may find the registration cancelled.
    await Promise.race(early);
    const cancels = await Promise.all([...early, ...cancelOften()]);
    expect(cancels.map(({ body }) => body)).toEqual(cancels.map(() => ({ response: success })));
  });

  it('is refused once the payment gateway has been asked to register, and after the end', async () => {
    const project = stack.projects[0];
    const regNo = await register(project, 11, { bankAccount: '11012349006' });
    await expect
      .poll(async () => (await ledgerCalls(project.members[11]!.userId)) + (await statusOf(project, regNo)), {
        timeout: 10_000,
      })
      .toContain('ARS_AUTH_DONE');
    await expect
      .poll(async () => (await stepsOf(project, regNo)).includes('REGISTRATION_ATTEMPTED'), {
        timeout: 10_000,
      })
      .toBe(true);
    expect((await cancel(project, regNo)).body.response.code).toBe('002_915');
    expect((await untilEnded(stack.url, project, regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
    expect((await cancel(project, regNo)).body.response.code).toBe('002_915');
  });
});

it('the timeline shows every step, during the run and after it, without personal data', async () => {
  const project = stack.projects[0];
  const regNo = await register(project, 12, { mobileNumber: '01012340002' });
  expect(await stepsOf(project, regNo)).toContain('ACCEPTED');
  await untilEnded(stack.url, project, regNo);
  const { body, text } = await call(stack.url, project, '/ars/register/timeline', { regNo });
  const steps = body['steps'] as {
    step: string;
    attempt: number;
    outcome: string;
    ko: string;
    en: string;
    at: string;
  }[];
  expect(steps.map(({ step, attempt, outcome }) => `${step} ${attempt} ${outcome}`)).toEqual([
    'ACCEPTED 1 ACCEPTED',
    'ACCOUNT_HOLDER_CHECKED 1 MATCHED',
    'ARS_CALL_PLACED 1 PLACED',
    'ARS_CALL_ENDED 1 NO_ANSWER',
    'ARS_CALL_PLACED 2 PLACED',
    'ARS_CALL_ENDED 2 PASSED',
    'CONSENT_EVIDENCE_STORED 1 STORED',
    'REGISTRATION_ATTEMPTED 1 REGISTERED',
    'ENDED 1 000_000',
  ]);
  expect(steps[1]).toMatchObject({
    ko: '예금주 실명 확인',
    en: 'Real-name check',
    at: expect.stringMatching(/Z$/),
  });
  for (const personal of ['11012345678', '01012340002', project.members[12]!.userName]) {
    expect(text).not.toContain(personal);
  }
});

it("lists a project's own registrations, newest first, by page, status and time", async () => {
  const [, project] = stack.projects;
  const failed = await register(project, 20, { bankAccount: '11012349002' });
  await untilEnded(stack.url, project, failed);
  const list = async (filter: object) => {
    const { body } = await call(stack.url, project, '/ars/register/list', filter);
    const rows = body['registrations'] as {
      bankAccRegNo: string;
      userId: number;
      status: string;
      code?: string;
    }[];
    return { rows, numbers: rows.map(({ bankAccRegNo }) => bankAccRegNo), next: body['nextCursor'] };
  };
  const all = await list({ limit: 100 });
  expect(all.numbers).toEqual(all.numbers.toSorted().toReversed());
  expect(all.rows.every(({ userId }) => String(userId).startsWith('2'))).toBe(true);
  expect(all.rows.find(({ bankAccRegNo }) => bankAccRegNo === failed)).toMatchObject({
    userId: Number(project.members[20]!.userId),
    bankCode: '003',
    status: 'BANK_ACC_REG_FAILED',
    code: '002_015',
  });

  const paged: string[] = [];
  for (let cursor: unknown; ;) {
    const page = await list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    paged.push(...page.numbers);
    cursor = page.next;
    if (cursor === undefined) break;
  }
  expect(paged).toEqual(all.numbers);
  expect((await list({ status: 'BANK_ACC_REG_FAILED' })).numbers).toEqual([failed]);
  expect((await list({ from: new Date(Date.now() + 60_000).toISOString() })).numbers).toEqual([]);
  expect((await list({ to: '2020-01-01T00:00:00+09:00' })).numbers).toEqual([]);
});

it('never shows a project the members, numbers or accounts of another', async () => {
  const [first, second] = stack.projects;
  const { userId } = first.members[30]!;
  const regNo = await registered(first, 30);
  for (const endpoint of ['/info', '/inquiry', '/delete', '/as-rcg-svc/ars/register', '/ars/auth']) {
    const { body } = await callEncrypted(stack.url, second, endpoint, { userId });
    expect([endpoint, body.response.code]).toEqual([endpoint, '001_006']);
  }
  for (const endpoint of ['/inquiry', '/cancel', '/timeline']) {
    const action = endpoint === '/cancel' ? { action: 'cancel' } : {};
    const { body } = await callEncrypted(stack.url, second, `/ars/register${endpoint}`, { regNo, ...action });
    expect([endpoint, body.response.code]).toEqual([endpoint, '002_019']);
  }
});

async function statusOf(project: Project, regNo: string): Promise<string> {
  return String((await call(stack.url, project, '/ars/register/inquiry', { regNo })).body['status']);
}

async function ledgerCalls(userId: string): Promise<string> {
  return JSON.stringify(await ledgerOf(userId));
}

async function stepsOf(project: Project, regNo: string): Promise<string[]> {
  const { body } = await call(stack.url, project, '/ars/register/timeline', { regNo });
  return (body['steps'] as { step: string }[]).map(({ step }) => step);
}
