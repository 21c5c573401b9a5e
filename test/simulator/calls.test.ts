import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, signed, startBench } from './simulator-fixture.ts';
import type { Bench } from './simulator-fixture.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ callDurationMs: 30 });
});
afterAll(() => bench.dispose());

async function recordingOf(callId: string): Promise<Response> {
  const body = JSON.stringify({ callId });
  const path = '/v1/ars-calls/recording';
  return fetch(bench.url() + path, { method: 'POST', headers: signed(path, body), body });
}

async function ended(reference: string, attempt = 1): Promise<Record<string, unknown>> {
  return eventually(async () => {
    const { body } = await bench.post('/v1/ars-calls/inquiry', { reference, attempt });
    return body['state'] === 'IN_PROGRESS' ? undefined : body;
  });
}

/** Resolves when every callback of the calls so far has had its turn: a later call has sent its three. */
async function untilCallbacksOfLaterCall(): Promise<void> {
  const later = await bench.call('010-1234-0005');
  await eventually(() => bench.callbacks(later.reference).length === 3);
}

describe('calls by the last four digits of the mobile number', () => {
  it.each([
    ['0001', 'NO_ANSWER'],
    ['0003', 'WRONG_CODE'],
    ['0004', 'HUNG_UP'],
    ['0091', 'BUSY'],
    ['0092', 'REJECTED'],
    ['0093', 'NO_INPUT'],
    ['0094', 'NOT_IN_SERVICE'],
    ['0095', 'CARRIER_ERROR'],
  ])('%s fails with %s', async (lastDigits, outcome) => {
    const { reference, callId } = await bench.call(`010-1234-${lastDigits}`);
    expect(await ended(reference)).toEqual({ state: 'FAILED', callId, outcome });
    await eventually(() => bench.callbacks(reference).length === 1);
    expect(bench.callbacks(reference)).toEqual([
      { type: 'ARS', reference, attempt: 1, callId, state: 'FAILED', outcome },
    ]);
    expect((await recordingOf(callId)).status).toBe(404);
  });

  it('0002 is not answered the first time and passes the second time', async () => {
    const first = await bench.call('01012340002');
    expect(await ended(first.reference)).toMatchObject({ state: 'FAILED', outcome: 'NO_ANSWER' });
    await bench.call('01012340002', { reference: first.reference, attempt: 2 });
    expect(await ended(first.reference, 2)).toMatchObject({ state: 'PASSED' });
  });

  it('0005 passes and sends three callbacks', async () => {
    const { reference } = await bench.call('010-1234-0005');
    await eventually(() => bench.callbacks(reference).length >= 3);
    await untilCallbacksOfLaterCall();
    expect(bench.callbacks(reference).map((body) => body['state'])).toEqual(['PASSED', 'PASSED', 'PASSED']);
  });

  it('0006 passes and sends no callback', async () => {
    const { reference, callId } = await bench.call('010-1234-0006');
    expect(await ended(reference)).toEqual({ state: 'PASSED', callId, recordingSeconds: 2 });
    await untilCallbacksOfLaterCall();
    expect(bench.callbacks(reference)).toEqual([]);
  });

  it('0007 sends its callback before the call request is answered', async () => {
    const { reference, callId } = await bench.call('010-1234-0007');
    expect(bench.callbacks(reference)).toEqual([
      { type: 'ARS', reference, attempt: 1, callId, state: 'PASSED', recordingSeconds: 2 },
    ]);
  });

  it('0009 has no outcome and sends no callback', async () => {
    const { reference, callId } = await bench.call('010-1234-0009');
    expect(await ended(reference)).toEqual({ state: 'NO_OUTCOME', callId });
    await untilCallbacksOfLaterCall();
    expect(bench.callbacks(reference)).toEqual([]);
  });

  it('0020 passes, and its recording never becomes available', async () => {
    const { reference, callId } = await bench.call('010-1234-0020');
    expect(await ended(reference)).toMatchObject({ state: 'PASSED', callId });
    expect((await recordingOf(callId)).status).toBe(404);
  });

  it('any other number passes', async () => {
    const { reference, callId } = await bench.call('010-9876-5432');
    expect(callId).toMatch(/^[0-9A-Z]{12}$/);
    expect(await ended(reference)).toEqual({ state: 'PASSED', callId, recordingSeconds: 2 });
    await eventually(() => bench.callbacks(reference).length === 1);
  });
});

describe('calls', () => {
  it('responds NOT_FOUND for an unknown call', async () => {
    const { body } = await bench.post('/v1/ars-calls/inquiry', { reference: 'unheard-of', attempt: 1 });
    expect(body).toEqual({ state: 'NOT_FOUND' });
    expect((await recordingOf('ABCDEFGHIJKL')).status).toBe(404);
  });

  it('makes another call when a request is repeated, and reports the latest', async () => {
    const first = await bench.call('010-9876-5432');
    const second = await bench.call('010-9876-5432', { reference: first.reference });
    expect(second.callId).not.toBe(first.callId);
    expect(await ended(first.reference)).toMatchObject({ callId: second.callId });
    await eventually(() => bench.callbacks(first.reference).length === 2);
    const list = await bench.get(`/simulator/calls?reference=${first.reference}`);
    expect(list).toEqual(
      [first, second].map(({ callId, reference }) => ({ callId, reference, attempt: 1, state: 'PASSED' })),
    );
  });

  it('records a passed call as a WAV file of its own', async () => {
    const [one, other] = [await bench.call('010-1234-0007'), await bench.call('010-1234-0007')];
    const response = await recordingOf(one.callId);
    expect(response.headers.get('content-type')).toBe('audio/wav');
    const wav = Buffer.from(await response.arrayBuffer());
    expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
    expect(wav.readUInt32LE(4)).toBe(wav.length - 8);
    expect(wav.toString('latin1', 8, 16)).toBe('WAVEfmt ');
    expect(wav.readUInt16LE(20)).toBe(1);
    expect(wav.readUInt16LE(22)).toBe(1);
    expect(wav.readUInt32LE(24)).toBe(8000);
    expect(wav.readUInt16LE(34)).toBe(8);
    expect(wav.toString('latin1', 36, 40)).toBe('data');
    expect(wav.readUInt32LE(40)).toBe(wav.length - 44);
    expect(wav.length).toBe(16_044);
    expect(wav.equals(Buffer.from(await (await recordingOf(one.callId)).arrayBuffer()))).toBe(true);
    expect(wav.equals(Buffer.from(await (await recordingOf(other.callId)).arrayBuffer()))).toBe(false);
  });
});
