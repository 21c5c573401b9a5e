import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
let nextMember = 0;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Registers an account for a new member and waits for the end. @returns the end, with the simulator's entries and calls */
async function register(overrides: Readonly<Record<string, unknown>>) {
  const project = stack.projects[0];
  const accepted = await call(
    stack.url,
    project,
    '/ars/register',
    registration(project, nextMember++, overrides),
  );
  expect(accepted.body.response).toEqual({ code: '000_000', description: 'Success.' });
  const regNo = String(accepted.body['bankAccRegNo']);
  const { status, body } = await untilEnded(stack.url, project, regNo);
  const ledger = await simulatorList('registrations', (entry) => entry['bankAccRegNo'] === regNo);
  const calls = await simulatorList('calls', (entry) => entry['reference'] === regNo);
  return { http: status, status: body['status'], code: body.response.code, ledger, calls };
}

async function simulatorList(name: string, isWanted: (entry: Record<string, unknown>) => boolean) {
  const response = await fetch(`${stack.simulatorUrl}/simulator/${name}`);
  return ((await response.json()) as Record<string, unknown>[]).filter(isWanted);
}

const registered = { http: 200, status: 'BANK_ACC_REGISTERED', code: '000_000' };
const refusedAccount = (code: string) => ({ http: 400, status: 'BANK_ACC_REG_FAILED', code });
const failedCall = { http: 400, status: 'ARS_AUTH_FAILED', code: '002_014' };

describe.concurrent('what the account number makes the payment gateway do', () => {
  it.for([
    ['0000', registered, 1, 'works'],
    ['9004', registered, 1, 'registers but loses the answer; the inquiry reports it'],
    ['9005', registered, 2, 'neither registers nor answers the first time'],
    ['9006', registered, 1, 'accepts, and reports the result by callback 3 s later'],
    ['9007', registered, 3, 'answers 503 twice'],
  ] as const)('%s: %o after %d register calls: %s', async ([digits, end, registerCalls]) => {
    const result = await register({ bankAccount: `1101234${digits}` });
    expect(result).toMatchObject(end);
    expect(result.ledger).toEqual([expect.objectContaining({ state: 'REGISTERED', registerCalls })]);
  });

  it.for([
    ['9001', '002_901', 0],
    ['9002', '002_015', 1],
    ['9003', '002_016', 1],
    ['9091', '002_903', 0],
    ['9092', '002_904', 0],
    ['9093', '002_905', 0],
    ['9094', '002_906', 0],
    ['9095', '002_907', 0],
    ['9096', '002_908', 0],
    ['9097', '002_909', 0],
    ['9098', '002_902', 0],
  ] as const)('%s: refused with %s after %d ARS calls', async ([digits, code, arsCalls]) => {
    const result = await register({ bankAccount: `1101234${digits}` });
    expect(result).toMatchObject(refusedAccount(code));
    expect(result.ledger).toEqual([]);
    expect(result.calls).toHaveLength(arsCalls);
  });
});

describe.concurrent('what the mobile number makes the phone do', () => {
  it.for([
    ['1234', 1, 'passes'],
    ['0002', 2, 'is not answered the first time'],
    ['0005', 1, 'passes; the callback comes three times'],
    ['0006', 1, 'passes; only the inquiry reports it'],
    ['0007', 1, 'passes; the callback arrives before the answer'],
  ] as const)('%s: registered after %d calls: %s', async ([digits, arsCalls]) => {
    const result = await register({ mobileNumber: `0101234${digits}` });
    expect(result).toMatchObject(registered);
    expect(result.calls).toHaveLength(arsCalls);
    expect(result.ledger).toEqual([expect.objectContaining({ state: 'REGISTERED', registerCalls: 1 })]);
  });

  it.for([
    ['0001', 2, 'is never answered'],
    ['0003', 1, 'gets the wrong code'],
    ['0004', 1, 'is hung up'],
    ['0009', 1, 'never has an outcome'],
    ['0091', 2, 'is busy'],
    ['0092', 1, 'is rejected'],
    ['0093', 1, 'gets no input'],
    ['0094', 1, 'is not in service'],
    ['0095', 2, 'has a carrier error'],
  ] as const)('%s: fails with 002_014 after %d calls: %s', async ([digits, arsCalls]) => {
    const result = await register({ mobileNumber: `0101234${digits}` });
    expect(result).toMatchObject(failedCall);
    expect(result.calls).toHaveLength(arsCalls);
    expect(result.ledger).toEqual([]);
  });

  it('0008: waits for a person, who answers the phone and enters the code', async () => {
    const project = stack.projects[0];
    const request = registration(project, nextMember++, { mobileNumber: '01012340008' });
    const accepted = await call(stack.url, project, '/ars/register', request);
    const regNo = String(accepted.body['bankAccRegNo']);
    const ringing = await waitFor(async () => {
      const calls = await simulatorList('calls', (entry) => entry['reference'] === regNo);
      return calls[0]?.['callId'];
    });
    // Longer than the service waits for a call without an outcome.
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    const phone = `${stack.simulatorUrl}/simulator/phone/calls/${String(ringing)}`;
    const post = (path: string, body?: object) =>
      fetch(phone + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body ?? {}),
      });
    expect((await post('/answer')).ok).toBe(true);
    expect((await post('/code', { code: accepted.body['authNumber'] })).ok).toBe(true);
    expect((await untilEnded(stack.url, project, regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
  });
});

async function waitFor<Value>(probe: () => Promise<Value | undefined>): Promise<Value> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const value = await probe();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('Nothing was found within 10 s.');
}
