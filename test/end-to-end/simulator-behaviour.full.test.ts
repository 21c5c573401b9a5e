import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { answerPhone } from '../fixtures/phone.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
let nextMember = 0;
/** The calls that the payment gateway was asked about, by registration number. */
const inquiredCalls: string[] = [];
beforeAll(async () => {
  stack = await startStack({
    intercept: (request, send) => {
      if (request.operation === 'inquireArsCall') inquiredCalls.push(request.parameters[0].reference);
      return send();
    },
  });
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
    ['9008', registered, 1, 'registers but loses the answer; the inquiry does not see it at first'],
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
    const arsCall = { ...sandboxPolicy.arsCall, firstInquiryAfter: 200, maxInquiryInterval: 400 };
    const url = await stack.startAnotherApi({
      policy: { ...sandboxPolicy, arsCall: { ...arsCall, silenceLimit: 500 } },
    });
    const request = registration(project, nextMember++, { mobileNumber: '01012340008' });
    const accepted = await call(url, project, '/ars/register', request);
    const regNo = String(accepted.body['bankAccRegNo']);
    // Four inquiries take longer than the service waits for a call without an outcome.
    const inquiries = () => inquiredCalls.filter((reference) => reference === regNo).length;
    await vi.waitUntil(() => inquiries() >= 4, { timeout: 20_000 });
    await answerPhone(stack.simulatorUrl, regNo, String(accepted.body['authNumber']));
    expect((await untilEnded(stack.url, project, regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
  });
});
