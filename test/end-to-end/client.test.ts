import { afterAll, beforeAll, expect, it } from 'vitest';
import { KmRefusal, RegistrationInProgressError, createKmClient } from '../../client/index.ts';
import type { KmClient } from '../../client/index.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** A client for one of the projects, with or without encryption. */
function client(index: 0 | 1, isEncrypting: boolean): KmClient {
  const project = stack.projects[index];
  return createKmClient({
    ...project,
    baseUrl: `${stack.url}/open-api`,
    ...(isEncrypting ? { encryption: project } : {}),
  });
}

function request(index: 0 | 1, member: number, overrides = {}) {
  const { mobileNumber: _, ...person } = stack.projects[index].members[member]!;
  return { ...person, bankAccount: '11012345678', bankCode: '003' as const, bankName: 'IBK', ...overrides };
}

it.for([
  [0, false],
  [1, true],
] as const)('uses every operation for project %d, encrypting: %s', async ([index, isEncrypting]) => {
  const km = client(index, isEncrypting);
  const person = request(index, 0);
  const { userId } = person;
  await km.validateAccountHolder(person);
  const { authNumber } = await km.issueArsCode({ userId });
  expect(authNumber).toMatch(/^\d\d$/);
  const { bankAccRegNo, ...rest } = await km.register(person);
  expect(rest).toEqual({});
  await expect(km.register(person)).rejects.toThrow(RegistrationInProgressError);
  const seen: string[] = [];
  const result = await km.waitUntilDone(bankAccRegNo, {
    intervalMs: 100,
    onStatus: (status) => void seen.push(status),
  });
  expect(result).toEqual({ status: 'BANK_ACC_REGISTERED' });
  expect(seen.at(-1)).toBe('BANK_ACC_REGISTERED');

  const { accountInfo } = await km.account({ userId });
  expect(accountInfo.bankAccount).toBe(isEncrypting ? '11012345678' : '110****678');
  await km.registerForAutoCharge({ userId }).catch((error: unknown) => {
    // The answer is always encrypted, and this client has no key to read it.
    if (isEncrypting) throw error;
  });
  expect(await km.accountUse({ userId })).toMatchObject({ isAutoRcgAccRegAllowed: false });
  expect((await km.timeline({ regNo: bankAccRegNo })).steps.at(-1)).toMatchObject({
    step: 'ENDED',
    outcome: '000_000',
  });
  expect((await km.list({ limit: 1 })).registrations).toMatchObject([{ bankAccRegNo, userId }]);
  await km.deleteAccount({ userId });
  await expect(km.account({ userId })).rejects.toMatchObject({ code: '002_916' });
});

it('returns a failed registration as a result with its code', async () => {
  const km = client(0, false);
  const { bankAccRegNo } = await km.register(request(0, 1, { bankAccount: '11012349003' }));
  expect(await km.waitUntilDone(bankAccRegNo, { intervalMs: 100 })).toEqual({
    status: 'BANK_ACC_REG_FAILED',
    code: '002_016',
    reason: 'RESTRICTED_ACCOUNT',
    text: 'Invalid account.',
    retryable: false,
  });
});

it('cancels a running registration and refuses an unknown one', async () => {
  const km = client(0, false);
  const { bankAccRegNo: regNo } = await km.register(request(0, 2, { mobileNumber: '01012340009' }));
  await km.cancel({ regNo });
  expect(await km.waitUntilDone(regNo, { intervalMs: 100 })).toMatchObject({ code: '002_914' });
  await expect(km.inquire({ regNo: '0'.repeat(22) })).rejects.toThrow(KmRefusal);
});
