import { createHash, createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Timings } from '../../development/simulator/behaviour.ts';
import { z } from 'zod';
import { createSimulator } from '../../development/simulator/simulator.ts';
import type { Simulator } from '../../development/simulator/simulator.ts';
import { startReceiver } from './callback-receiver.ts';
import type { Receiver } from './callback-receiver.ts';

export const sharedSecret = 'a-secret-known-to-both-sides';

/** A response of the simulator with its JSON body. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** A running simulator with a callback receiver, and a client for both. */
export interface Bench {
  directory: string;
  receiver: Receiver;
  url(): string;
  /** Posts signed JSON. */
  post(path: string, body: object, signal?: AbortSignal): Promise<Answer>;
  get(path: string): Promise<unknown>;
  /** Requests a call whose callbacks go to `/callbacks/<reference>`. */
  call(phoneNumber: string, details?: { reference?: string; attempt?: number }): Promise<PlacedCall>;
  /** The callbacks received for the reference. */
  callbacks(reference: string): Record<string, unknown>[];
  /** Makes a call that passes, and returns a register request with its recording as evidence. */
  registrationFor(accountNumber: string): Promise<RegistrationBody>;
  /** Stops the simulator. */
  stopSimulator(): Promise<void>;
  /** Starts another one with the same data directory. */
  startSimulator(): Promise<void>;
  dispose(): Promise<void>;
}

export interface PlacedCall {
  reference: string;
  attempt: number;
  callId: string;
}

export interface RegistrationBody {
  reference: string;
  memberId: string;
  bankCode: string;
  accountNumber: string;
  holderName: string;
  birthDate: string;
  evidence: { kind: 'ARS'; callId: string; sha256: string };
  callbackUrl: string;
}

/** `value` as a JSON object. @throws if it is none */
export function recordOf(value: unknown): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(value);
}

/** `value` as an array of JSON objects. @throws if it is none */
export function rowsOf(value: unknown): Record<string, unknown>[] {
  return z.array(z.record(z.string(), z.unknown())).parse(value);
}

/** The headers that sign a request. */
export function signed(
  path: string,
  body: string,
  secret = sharedSecret,
  at = Date.now(),
): Record<string, string> {
  const signature = createHmac('sha256', secret).update(`${at}\n${path}\n${body}`).digest('hex');
  return { 'content-type': 'application/json', 'x-pg-timestamp': String(at), 'x-pg-signature': signature };
}

/** Waits until `probe` returns something other than undefined, null or false. */
export async function eventually<T>(probe: () => T | Promise<T>, timeoutMs = 5000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`Nothing happened within ${timeoutMs} ms`);
    await delay(10);
  }
}

export async function startBench(timings: Partial<Timings> = {}): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'simulator-'));
  const receiver = await startReceiver();
  let simulator: Simulator;
  let url = '';

  const startSimulator = async (): Promise<void> => {
    simulator = createSimulator({ dataDirectory: directory, sharedSecret, timings });
    ({ url } = await simulator.start(0));
  };
  await startSimulator();

  const post = async (path: string, body: object, signal?: AbortSignal): Promise<Answer> => {
    const text = JSON.stringify(body);
    const request = { method: 'POST', headers: signed(path, text), body: text };
    const response = await fetch(url + path, signal ? { ...request, signal } : request);
    return { status: response.status, body: recordOf(await response.json()) };
  };

  const call: Bench['call'] = async (phoneNumber, { reference = randomUUID(), attempt = 1 } = {}) => {
    const callbackUrl = receiver.url(`/callbacks/${reference}`);
    const request = { reference, attempt, phoneNumber, code: '42', scriptVersion: '1', callbackUrl };
    const answer = await post('/v1/ars-calls', request);
    if (answer.status !== 202) throw new Error(`The call was answered with ${answer.status}`);
    return { reference, attempt, callId: String(answer.body['callId']) };
  };

  const passedCall = async (): Promise<{ callId: string; sha256: string }> => {
    const { callId } = await call('010-1234-0007');
    const body = JSON.stringify({ callId });
    const path = '/v1/ars-calls/recording';
    const response = await fetch(url + path, { method: 'POST', headers: signed(path, body), body });
    const recording = new Uint8Array(await response.arrayBuffer());
    return { callId, sha256: createHash('sha256').update(recording).digest('hex') };
  };

  return {
    directory,
    receiver,
    url: () => url,
    post,
    call,
    get: async (path) => (await fetch(url + path)).json(),
    callbacks: (reference) =>
      receiver.deliveries(`/callbacks/${reference}`).map(({ rawBody }) => recordOf(JSON.parse(rawBody))),
    async registrationFor(accountNumber) {
      const reference = randomUUID();
      return {
        reference,
        memberId: String(Date.now()),
        bankCode: '004',
        accountNumber,
        holderName: '홍길동',
        birthDate: '1990-01-01',
        evidence: { kind: 'ARS', ...(await passedCall()) },
        callbackUrl: receiver.url(`/callbacks/${reference}`),
      };
    },
    stopSimulator: () => simulator.stop(),
    startSimulator,
    async dispose() {
      await simulator.stop();
      await receiver.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
