import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack } from '../stack.ts';
import type { Stack } from '../stack.ts';
import { call, registration, untilEnded } from '../wire-client.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

it('accepts one of 200 parallel registrations of a member and refuses 199 with its number', async () => {
  const project = stack.projects[0];
  const { body: issued } = await call(stack.url, project, '/ars/auth', {
    userId: project.members[0]!.userId,
  });
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => call(stack.url, project, '/ars/register', registration(project, 0))),
  );
  const accepted = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status, body }) => status === 400 && body.response.code === '002_013');
  expect([accepted.length, refused.length]).toEqual([1, 199]);
  expect(new Set(answers.map(({ body }) => body['bankAccRegNo'])).size).toBe(1);
  expect(issued['authNumber']).toMatch(/^\d\d$/);
  expect(answers.every(({ body }) => body['authNumber'] === undefined)).toBe(true);

  const regNo = String(accepted[0]!.body['bankAccRegNo']);
  expect((await untilEnded(stack.url, project, regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
  const ledger = (await (await fetch(`${stack.simulatorUrl}/simulator/registrations`)).json()) as object[];
  expect(ledger).toEqual([expect.objectContaining({ bankAccRegNo: regNo, registerCalls: 1 })]);
});

it('gives a caller that lost the first answer the number and the code made for it', async () => {
  const project = stack.projects[0];
  const first = await call(stack.url, project, '/ars/register', registration(project, 1));
  const again = await call(stack.url, project, '/ars/register', registration(project, 1));
  expect(again.body).toEqual({
    bankAccRegNo: first.body['bankAccRegNo'],
    authNumber: first.body['authNumber'],
    response: { code: '002_013', description: 'Ars auth and bank account register is still in progress.' },
  });
});

it('lets a code serve one registration', async () => {
  const project = stack.projects[0];
  const { userId } = project.members[2]!;
  await call(stack.url, project, '/ars/auth', { userId });
  const first = await call(stack.url, project, '/ars/register', registration(project, 2));
  expect(first.body['authNumber']).toBeUndefined();
  await untilEnded(stack.url, project, String(first.body['bankAccRegNo']));
  const second = await call(stack.url, project, '/ars/register', registration(project, 2));
  expect(second.body['authNumber']).toMatch(/^\d\d$/);
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

async function statesOf(userId: string): Promise<Record<string, string>> {
  const accounts = await stack.stores.registrations.accountsOf(userId);
  return Object.fromEntries(accounts.map(({ registrationNumber, state }) => [registrationNumber, state]));
}
