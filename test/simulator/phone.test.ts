import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../fixtures/wire-client.ts';
import { eventually, recordOf, rowsOf, startBench } from './simulator-fixture.ts';
import type { Answer, Bench, PlacedCall } from './simulator-fixture.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.dispose());

async function press(callId: string, action: string, body?: object, headers = {}): Promise<Answer> {
  const response = await fetch(`${bench.url()}/simulator/phone/calls/${callId}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body ? JSON.stringify(body) : null,
  });
  return { status: response.status, body: recordOf(await response.json()) };
}

async function inquire({ reference, attempt }: PlacedCall): Promise<Record<string, unknown>> {
  return (await bench.post('/v1/ars-calls/inquiry', { reference, attempt })).body;
}

async function waiting(): Promise<Record<string, unknown>[]> {
  return rowsOf(await bench.get('/simulator/phone/calls'));
}

describe('a phone whose number ends in 0008', () => {
  it('rings until a person answers and presses the right code', async () => {
    const call = await bench.call('010-1234-0008');
    const { callId, reference } = call;
    expect(await waiting()).toEqual([
      { callId, reference, attempt: 1, phoneNumber: '010-1234-****', state: 'RINGING', secondsLeft: 150 },
    ]);
    expect(await inquire(call)).toEqual({ state: 'IN_PROGRESS', callId });
    expect((await press(callId, 'answer')).body).toMatchObject({ state: 'ANSWERED', code: '42' });
    expect((await press(callId, 'code', { code: '42' })).body).toMatchObject({ state: 'PASSED' });
    expect(await waiting()).toEqual([]);
    expect(await inquire(call)).toMatchObject({ state: 'PASSED', recordingSeconds: 2 });
    await eventually(() => bench.callbacks(reference).length === 1);
  });

  it.each([
    ['WRONG_CODE', ['answer', 'code']],
    ['REJECTED', ['decline']],
    ['HUNG_UP', ['answer', 'hang-up']],
  ])('fails with %s after %s', async (outcome, actions) => {
    const call = await bench.call('010-1234-0008');
    for (const action of actions) await press(call.callId, action, { code: '24' });
    expect(await inquire(call)).toEqual({ state: 'FAILED', callId: call.callId, outcome });
    await eventually(() => bench.callbacks(call.reference).length === 1);
  });

  it('refuses an action that the state of the call does not allow', async () => {
    const { callId } = await bench.call('010-1234-0008');
    expect((await press(callId, 'code', { code: '42' })).status).toBe(409);
    await press(callId, 'answer');
    expect((await press(callId, 'decline')).status).toBe(409);
    expect((await press(callId, 'code', { code: 'no' })).status).toBe(400);
    await press(callId, 'hang-up');
    expect((await press(callId, 'answer')).status).toBe(409);
    expect((await press('ABCDEFGHIJKL', 'answer')).status).toBe(404);
  });

  it('refuses actions from another site’s page, and for calls that no person answers', async () => {
    const { callId } = await bench.call('010-1234-0008');
    expect((await press(callId, 'answer', {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    // Its own name resolves to this machine, so the browser takes it for the same origin.
    const path = `/simulator/phone/calls/${callId}/answer`;
    const request = `POST ${path} HTTP/1.1\r\nHost: evil.example\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
    expect(await sendRaw(bench.url(), request)).toMatch(/^HTTP\/1\.1 403 /);
    await press(callId, 'decline');
    const other = await bench.call('010-9876-5432');
    expect((await press(other.callId, 'answer')).status).toBe(409);
  });

  it.each([
    ['NO_ANSWER', 'nobody answers', { ringTimeoutMs: 50 }, []],
    ['NO_INPUT', 'nobody presses a code', { codeTimeoutMs: 50 }, ['answer']],
  ] as const)('times out with %s when %s', async (outcome, _, timings, actions) => {
    const impatient = await startBench(timings);
    try {
      const { callId, reference } = await impatient.call('010-1234-0008');
      for (const action of actions) {
        await fetch(`${impatient.url()}/simulator/phone/calls/${callId}/${action}`, { method: 'POST' });
      }
      await eventually(() => impatient.callbacks(reference).length === 1);
      expect(impatient.callbacks(reference)).toMatchObject([{ outcome }]);
    } finally {
      await impatient.dispose();
    }
  });

  it('keeps ringing after a restart', async () => {
    const { callId } = await bench.call('010-1234-0008');
    await bench.stopSimulator();
    await bench.startSimulator();
    expect(await waiting()).toMatchObject([{ callId }]);
    await press(callId, 'decline');
  });
});

describe('the phone page', () => {
  it.each([
    ['/simulator/phone', 'text/html'],
    ['/simulator/phone/phone.css', 'text/css'],
    ['/simulator/phone/phone.js', 'text/javascript'],
  ])('%s is served as %s and loads nothing from other hosts', async (path, contentType) => {
    const response = await fetch(bench.url() + path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain(contentType);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await response.text()).not.toMatch(/https?:\/\//);
  });
});
