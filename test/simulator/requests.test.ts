import { afterAll, beforeAll, expect, it } from 'vitest';
import { sharedSecret, signed, startBench } from './simulator-fixture.ts';
import type { Bench } from './simulator-fixture.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.dispose());

const path = '/v1/registrations/inquiry';
const body = JSON.stringify({ reference: 'unheard-of' });
const minute = 60_000;

async function send(headers: Record<string, string>, sent = body): Promise<{ status: number; text: string }> {
  const response = await fetch(bench.url() + path, { method: 'POST', headers, body: sent });
  return { status: response.status, text: await response.text() };
}

it('accepts a signature up to five minutes old', async () => {
  expect((await send(signed(path, body))).status).toBe(200);
  expect((await send(signed(path, body, sharedSecret, Date.now() - 4.9 * minute))).status).toBe(200);
});

it.each([
  ['without signature', {}],
  ['signed with another secret', signed(path, body, 'another-secret-of-some-length')],
  ['signed for another path', signed('/v1/registrations/removal', body)],
  ['signed for another body', signed(path, '{}')],
  ['signed long ago', signed(path, body, sharedSecret, Date.now() - 6 * minute)],
  ['signed in the future', signed(path, body, sharedSecret, Date.now() + 6 * minute)],
  ['with an invalid timestamp', { ...signed(path, body), 'x-pg-timestamp': 'today' }],
  ['with an invalid signature', { ...signed(path, body), 'x-pg-signature': 'mine' }],
])('refuses a request %s', async (_, headers) => {
  const { status, text } = await send(headers);
  expect(status).toBe(401);
  expect(JSON.parse(text)).toEqual({ error: expect.any(String) as unknown });
});

it('refuses a body that is not JSON or not valid, and repeats no value', async () => {
  const noJson = 'secret-value{';
  expect(await send(signed(path, noJson), noJson)).toEqual({
    status: 400,
    text: '{"error":"The body is not JSON"}',
  });
  const wrong = JSON.stringify({ reference: { 'secret-value': 1 } });
  expect(await send(signed(path, wrong), wrong)).toEqual({
    status: 400,
    text: '{"error":"Invalid: reference"}',
  });
});

it('responds to the health check', async () => {
  expect(await bench.get('/healthz')).toEqual({ status: 'ok' });
});
