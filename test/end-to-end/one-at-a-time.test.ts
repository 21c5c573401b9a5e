import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { and, eq, isNull } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startMemberRun } from '../../api/registrations/member-runs.ts';
import { workflowTypes } from '../../contract/registration.ts';
import { registrations } from '../../database/schema.ts';
import { answerPhone } from '../fixtures/phone.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, sendSlowly, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** The phone rings until somebody answers, so the registration runs until then. */
const ringing = { mobileNumber: '01012340008' };

it('accepts one of 200 parallel registrations of a member and refuses 199 with its number', async () => {
  const project = stack.projects[0];
  const { body: issued } = await call(stack.url, project, '/ars/auth', {
    userId: project.members[0]!.userId,
  });
  const answers = await Promise.all(
    Array.from({ length: 200 }, () =>
      call(stack.url, project, '/ars/register', registration(project, 0, ringing)),
    ),
  );
  const accepted = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status, body }) => status === 400 && body.response.code === '002_013');
  expect([accepted.length, refused.length]).toEqual([1, 199]);
  expect(new Set(answers.map(({ body }) => body['bankAccRegNo'])).size).toBe(1);
  expect(issued['authNumber']).toMatch(/^\d\d$/);
  expect(answers.every(({ body }) => body['authNumber'] === undefined)).toBe(true);

  const regNo = String(accepted[0]!.body['bankAccRegNo']);
  await expect.poll(() => callsOf(regNo), { timeout: 30_000 }).toHaveLength(1);
  await answerPhone(stack.simulatorUrl, regNo, String(issued['authNumber']));
  expect((await untilEnded(stack.url, project, regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
  const { userId } = project.members[0]!;
  const ledger = await fetch(`${stack.simulatorUrl}/simulator/registrations?userId=${userId}`);
  expect(await ledger.json()).toEqual([expect.objectContaining({ bankAccRegNo: regNo, registerCalls: 1 })]);
  expect(await rowsOf(userId)).toEqual([regNo]);
});

it('refuses a duplicate that arrived before the end of a registration, even if it is processed later', async () => {
  const project = stack.projects[0];
  const body = JSON.stringify(registration(project, 4));
  const duplicate = sendSlowly(stack.url, project, '/open-api/api/v1/bankaccounts/ars/register', body);
  await duplicate.begun;
  const first = await call(stack.url, project, '/ars/register', registration(project, 4));
  const regNo = String(first.body['bankAccRegNo']);
  expect((await untilEnded(stack.url, project, regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
  const answer = await duplicate.finish();
  expect(answer).toMatchObject({ bankAccRegNo: regNo, response: { code: '002_013' } });

  const later = await call(stack.url, project, '/ars/register', registration(project, 4));
  expect(later.body.response.code).toBe('000_000');
});

it('goes on where the run that Temporal named is gone at the next look', async () => {
  const { aspId, members } = stack.projects[0];
  const { userId } = members[7]!;
  let starts = 0;
  const start = async () => {
    if (++starts === 1) throw new WorkflowExecutionAlreadyStartedError('', userId, workflowTypes.register);
    return 'the run';
  };
  expect(await startMemberRun(stack, { aspId, userId }, start)).toEqual({ runId: 'the run' });
});

it('lets Temporal refuse a registration that another process has started', async () => {
  const project = stack.projects[0];
  const otherProcess = await stack.startAnotherApi();
  const first = await call(stack.url, project, '/ars/register', registration(project, 5, ringing));
  const second = await call(otherProcess, project, '/ars/register', registration(project, 5));
  const run = stack.temporal.workflow.getHandle(project.members[5]!.userId);
  expect((await run.describe()).status.name).toBe('RUNNING');
  expect(second.body).toEqual({
    bankAccRegNo: first.body['bankAccRegNo'],
    authNumber: first.body['authNumber'],
    response: { code: '002_013', description: 'Ars auth and bank account register is still in progress.' },
  });
});

it('returns number and code again to a client that lost the first response', async () => {
  const project = stack.projects[0];
  const first = await call(stack.url, project, '/ars/register', registration(project, 1));
  const again = await call(stack.url, project, '/ars/register', registration(project, 1));
  expect(again.body).toEqual({
    bankAccRegNo: first.body['bankAccRegNo'],
    authNumber: first.body['authNumber'],
    response: { code: '002_013', description: 'Ars auth and bank account register is still in progress.' },
  });
});

it('accepts a code for one registration only', async () => {
  const project = stack.projects[0];
  const { userId } = project.members[2]!;
  await call(stack.url, project, '/ars/auth', { userId });
  const first = await call(stack.url, project, '/ars/register', registration(project, 2));
  expect(first.body['authNumber']).toBeUndefined();
  await untilEnded(stack.url, project, String(first.body['bankAccRegNo']));
  const second = await call(stack.url, project, '/ars/register', registration(project, 2));
  expect(String(second.body['authNumber'])).toMatch(/^\d\d$/);
});

it('keeps the old account active until the new one is, then removes it at the payment gateway', async () => {
  const project = stack.projects[0];
  const { userId } = project.members[3]!;
  const register = async (bankAccount: string) => {
    const { body } = await call(
      stack.url,
      project,
      '/ars/register',
      registration(project, 3, { bankAccount }),
    );
    const regNo = String(body['bankAccRegNo']);
    return { regNo, status: (await untilEnded(stack.url, project, regNo)).body['status'] };
  };
  const old = await register('11011111111');
  const failed = await register('11011119003');
  expect([old.status, failed.status]).toEqual(['BANK_ACC_REGISTERED', 'BANK_ACC_REG_FAILED']);
  expect(await statesOf(userId)).toEqual({ [old.regNo]: 'ACTIVE' });

  const replacement = await register('11022222222');
  await expect
    .poll(() => statesOf(userId), { timeout: 10_000 })
    .toEqual({ [old.regNo]: 'REMOVED', [replacement.regNo]: 'ACTIVE' });
  const ledger = await (await fetch(`${stack.simulatorUrl}/simulator/registrations?userId=${userId}`)).json();
  expect(ledger).toEqual([
    expect.objectContaining({ bankAccRegNo: old.regNo, state: 'REMOVED' }),
    expect.objectContaining({ bankAccRegNo: replacement.regNo, state: 'REGISTERED' }),
  ]);
});

async function callsOf(regNo: string): Promise<unknown> {
  return await (await fetch(`${stack.simulatorUrl}/simulator/calls?reference=${regNo}`)).json();
}

async function statesOf(userId: string): Promise<Record<string, string>> {
  const accounts = await stack.stores.accounts.listOf(userId);
  return Object.fromEntries(accounts.map(({ registrationNumber, state }) => [registrationNumber, state]));
}

/** The numbers that were handed out: a refused duplicate's own number is withdrawn. */
async function rowsOf(userId: string): Promise<string[]> {
  const rows = await stack.database.queries
    .select()
    .from(registrations)
    .where(and(eq(registrations.userId, userId), isNull(registrations.withdrawnAt)));
  return rows.map(({ registrationNumber }) => registrationNumber);
}
