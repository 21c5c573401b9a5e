import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, sendRaw, signedHeaders } from '../fixtures/wire-client.ts';
import { expectAnswer } from './envelope.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const path = '/open-api/api/v1/bankaccounts/institutions';
const late = '{"response":{"code":"000_915","description":"The request did not arrive in time."}}';
const impatient = { headersTimeout: 400, requestTimeout: 800 };

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  // These tests expect the server to disconnect.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Writes a byte every 50 ms until the server disconnects. @returns everything that the server sent */
async function drip(url: string, beginning: string): Promise<string> {
  const socket = await open(url);
  const timer = setInterval(() => socket.write('a'), 50);
  socket.write(beginning);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  await once(socket, 'close');
  clearInterval(timer);
  return answer;
}

it.for([
  ['headers', `POST ${path} HTTP/1.1\r\nHost: here\r\nX-Slow: `],
  [
    'a body',
    `POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n`,
  ],
  ['a body in chunks', `POST ${path} HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n`],
] as const)('a client that never completes %s gets 408 and is disconnected', async ([, beginning]) => {
  const url = await stack.startAnotherApi({}, impatient);
  const answer = await drip(url, beginning);
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(late);
});

it('an unknown Expect header is refused in the envelope', async () => {
  const request = `POST ${path} HTTP/1.1\r\nHost: here\r\nExpect: the-moon\r\nContent-Length: 2\r\n\r\n{}`;
  const answer = await sendRaw(stack.url, request);
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"000_913"/s);
});

it('a client that connects and sends nothing is disconnected', async () => {
  const socket = await open(await stack.startAnotherApi({}, impatient));
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  await once(socket, 'close');
  expect(answer).toContain(late);
});

it('a connection may be idle longer than the headers of a request may take', async () => {
  const request = `GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n`;
  const url = await stack.startAnotherApi({}, impatient);
  const kept = await open(url);
  kept.write(request);
  expect(String((await once(kept, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 .*keep-alive: timeout=75\r\n/is);
  // One that sends nothing is closed meanwhile.
  const silent = await open(url);
  silent.resume();
  await once(silent, 'close');
  kept.write(request);
  expect(String((await once(kept, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
  kept.destroy();
});

it('an idle connection is closed after the keep-alive time', async () => {
  const url = await stack.startAnotherApi({}, { keepAlive: 1_000 });
  const socket = await open(url);
  socket.write('GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n');
  expect(String((await once(socket, 'data'))[0])).toMatch(/keep-alive: timeout=1\r\n/i);
  await once(socket, 'close');
});

it('a client that does not read its response is disconnected', async () => {
  // Only one connection is allowed: another one is served once this one has ended.
  const url = await stack.startAnotherApi({}, { idle: 1_500, connections: 1 });
  const { length } = await (await fetch(`${stack.url}/docs/swagger-ui-bundle.js`)).text();
  const greedy = await open(url);
  greedy.pause();
  // More than the socket buffers of both sides hold.
  greedy.write('GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(10));
  expect(10 * length).toBeGreaterThan(10_000_000);
  expect(await isServed(url)).toBe(false);
  await expect.poll(() => isServed(url), { timeout: 30_000 }).toBe(true);
  greedy.destroy();
});

it('a client that pipelines requests without reading the responses is disconnected before they fill the memory', async () => {
  const requests = 5_000;
  const greedy = await open(stack.url);
  greedy.pause();
  greedy.write('GET /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(requests));
  const answered = async () => {
    const { values } = await stack.metrics.requests.get();
    return values.find(
      ({ metricName, labels }) => metricName?.endsWith('_count') && labels.route === '/openapi.json',
    );
  };
  await expect.poll(answered).toBeDefined();
  expectAnswer(await call(stack.url, stack.projects[1], '/institutions', {}), '000_000');
  expect((await answered())?.value).toBeLessThanOrEqual(20);
  greedy.destroy();
});

it('a client that disconnects in the middle of its body is not a failure of the service', async () => {
  const countOf = async (code: string) => {
    const { values } = await stack.metrics.requests.get();
    return values.find(({ metricName, labels }) => metricName?.endsWith('_count') && labels.code === code)
      ?.value;
  };
  const [hungUp, failed] = [(await countOf('000_915')) ?? 0, await countOf('000_991')];
  const socket = await open(stack.url);
  socket.write(`POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Length: 60000\r\n\r\n{`);
  // The server has started on this request once it has served a later one.
  expect(await isServed(stack.url)).toBe(true);
  socket.destroy();
  await expect.poll(() => countOf('000_915')).toBe(hungUp + 1);
  expect(await countOf('000_991')).toBe(failed);
});

it('connections beyond the maximum are closed until another one ends', async () => {
  const url = await stack.startAnotherApi({}, { connections: 3 });
  const held = await Promise.all([open(url), open(url), open(url)]);
  expect(await isServed(url)).toBe(false);
  held[0].destroy();
  await expect.poll(() => isServed(url)).toBe(true);
  for (const socket of held) socket.destroy();
});

it('slow clients do not keep others from being served', async () => {
  const slow = await Promise.all(Array.from({ length: 300 }, () => open(stack.url)));
  const headers = Object.entries(signedHeaders(stack.projects[0], '{}')).map(
    ([name, value]) => `${name}: ${value}`,
  );
  for (const socket of slow) {
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n${headers.join('\r\n')}\r\n\r\n{`,
    );
  }
  expectAnswer(await call(stack.url, stack.projects[1], '/institutions', {}), '000_000');
  for (const socket of slow) socket.destroy();
});

/** Whether a new connection is accepted and its request served. */
async function isServed(url: string): Promise<boolean> {
  const request = 'GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n';
  return (await sendRaw(url, request).catch(() => '')).startsWith('HTTP/1.1 200 ');
}
