import { afterAll, beforeAll, expect, it } from 'vitest';
import { sign } from '../../payment-gateway/http/signature.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
const lines: string[] = [];
beforeAll(async () => {
  stack = await startStack({ onLogLine: (line) => lines.push(line) });
});
afterAll(() => stack.close());

async function register(mobileNumber: string, member = 0): Promise<string> {
  const request = registration(stack.projects[0], member, { mobileNumber });
  const { body } = await call(stack.url, stack.projects[0], '/ars/register', request);
  expect(body.response.code).toBe('000_000');
  return String(body['bankAccRegNo']);
}

/** The payment gateway's ID of the registration's first call. */
async function callIdOf(reference: string): Promise<string> {
  const answer = await fetch(`${stack.simulatorUrl}/simulator/calls?reference=${reference}`);
  const [placed] = (await answer.json()) as { callId: string }[];
  return placed!.callId;
}

async function sendCallback(callback: { readonly reference: string; readonly [field: string]: unknown }) {
  const callId = await callIdOf(callback.reference);
  const body = JSON.stringify({ type: 'ARS', attempt: 1, callId, ...callback });
  const headers = { ...sign(stack.paymentGatewaySecret, '/pg/callbacks', body) };
  const { status } = await fetch(`${stack.url}/pg/callbacks`, { method: 'POST', headers, body });
  expect(status).toBe(200);
}

const timelineOf = async (regNo: string) =>
  JSON.stringify((await call(stack.url, stack.projects[0], '/ars/register/timeline', { regNo })).body);

it('callbacks for another registration of the member change nothing, and the first of a kind counts', async () => {
  const failed = await register('01012340004');
  await untilEnded(stack.url, stack.projects[0], failed);
  // This phone rings until somebody answers.
  const ringing = await register('01012340008');
  await expect.poll(() => timelineOf(ringing), { timeout: 20_000 }).toContain('ARS_CALL_PLACED');

  await sendCallback({ reference: failed, state: 'PASSED' });
  await sendCallback({ reference: ringing, state: 'FAILED', outcome: 'WRONG_CODE' });
  await sendCallback({ reference: ringing, state: 'PASSED' });
  const { body } = await untilEnded(stack.url, stack.projects[0], ringing);
  expect(body['status']).toBe('ARS_AUTH_FAILED');
  const timeline = await timelineOf(ringing);
  expect(timeline).toContain('WRONG_CODE');
  expect(timeline).not.toContain('PASSED');
});

it('a callback for a call that was not placed changes nothing', async () => {
  const ringing = await register('01012340008', 1);
  await expect.poll(() => timelineOf(ringing), { timeout: 20_000 }).toContain('ARS_CALL_PLACED');

  await sendCallback({ reference: ringing, attempt: 2, state: 'FAILED', outcome: 'REJECTED' });
  await sendCallback({ reference: ringing, state: 'FAILED', outcome: 'WRONG_CODE' });
  await untilEnded(stack.url, stack.projects[0], ringing);
  const timeline = await timelineOf(ringing);
  expect(timeline).toContain('WRONG_CODE');
  expect(timeline).not.toContain('REJECTED');
});

it('a callback about another call than the one that was placed decides nothing', async () => {
  const ringing = await register('01012340008', 3);
  await expect.poll(() => timelineOf(ringing), { timeout: 20_000 }).toContain('ARS_CALL_PLACED');

  await sendCallback({ reference: ringing, callId: 'OFANOTHERONE', state: 'PASSED' });
  const { body } = await call(stack.url, stack.projects[0], '/ars/register/inquiry', { regNo: ringing });
  expect(body['status']).toBe('ARS_AUTH_IN_PROGRESS');
  await sendCallback({ reference: ringing, state: 'FAILED', outcome: 'WRONG_CODE' });
  expect((await untilEnded(stack.url, stack.projects[0], ringing)).body['status']).toBe('ARS_AUTH_FAILED');
});

it('a callback that contradicts what was decided is counted and logged, once', async () => {
  const countOf = async () =>
    (await stack.metrics.contradictions.get()).values.find(({ labels }) => labels.kind === 'ARS_CALL')
      ?.value ?? 0;
  const ringing = await register('01012340008', 2);
  await expect.poll(() => timelineOf(ringing), { timeout: 20_000 }).toContain('ARS_CALL_PLACED');
  await sendCallback({ reference: ringing, state: 'FAILED', outcome: 'WRONG_CODE' });
  const before = await countOf();
  await sendCallback({ reference: ringing, state: 'FAILED', outcome: 'WRONG_CODE' });
  expect(await countOf()).toBe(before);
  for (let time = 0; time < 2; time++) await sendCallback({ reference: ringing, state: 'PASSED' });
  expect(await countOf()).toBe(before + 1);
  const logged = lines.filter((line) => line.includes('is contradicted') && line.includes(ringing));
  expect(logged.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { kind: 'ARS_CALL', said: 'PASSED' },
  ]);
});
