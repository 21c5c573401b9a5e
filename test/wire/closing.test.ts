import { once } from 'node:events';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { expect, it, onTestFinished } from 'vitest';
import type { Api } from '../../api/context.ts';
import { listen } from '../../api/http/server.ts';

/** Starts a server with one request that is being handled until `finish` is called. */
async function serveOneRequest(drain: number) {
  const events: string[] = [];
  let begin = () => {};
  let finish = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let disconnect = () => {};
  const disconnected = new Promise<void>((resolve) => (disconnect = resolve));
  const app = new Hono<Api>();
  app.get('/', async (context) => {
    context.req.raw.signal.addEventListener('abort', disconnect);
    begin();
    await finished;
    events.push('handled');
    return context.text('done');
  });
  const server = await listen(app, { port: 0, host: '127.0.0.1', limits: { drain } });
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  await begun;
  const close = () => server.close().then(() => void events.push('closed'));
  const isListening = () =>
    new Promise<boolean>((resolve) => {
      const probe = connect(server.port, '127.0.0.1');
      probe.once('connect', () => resolve(!!probe.destroy()));
      probe.once('error', () => resolve(false));
    });
  const untilRefusing = () => expect.poll(isListening).toBe(false);
  return { events, socket, disconnected, untilRefusing, finish, close };
}

it('a stopping server serves, and tells its clients to close their connections', async () => {
  const app = new Hono<Api>();
  app.get('/', (context) => context.text('served'));
  const stopping = new AbortController();
  const server = await listen(app, { port: 0, host: '127.0.0.1', stopping: stopping.signal });
  onTestFinished(() => server.close());
  const get = async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    return [await response.text(), response.headers.get('connection')];
  };
  expect(await get()).toEqual(['served', 'keep-alive']);
  stopping.abort();
  expect([await get(), await get()]).toEqual([
    ['served', 'close'],
    ['served', 'close'],
  ]);
});

it('a closing server completes the current request', async () => {
  const { events, socket, untilRefusing, finish, close } = await serveOneRequest(30_000);
  const answer = once(socket, 'data');
  const closed = close();
  await untilRefusing();
  expect(events).toEqual([]);
  finish();
  await closed;
  expect(events).toEqual(['handled', 'closed']);
  expect(String(await answer)).toMatch(/^HTTP\/1\.1 200 OK[^]*done$/);
});

it('a closing server lets the current request end even if its client has disconnected', async () => {
  const { events, socket, disconnected, untilRefusing, finish, close } = await serveOneRequest(30_000);
  socket.destroy();
  await disconnected;
  const closed = close();
  await untilRefusing();
  expect(events).toEqual([]);
  finish();
  await closed;
  expect(events).toEqual(['handled', 'closed']);
});

it('a closing server disconnects requests that take too long', async () => {
  const { events, socket, finish, close } = await serveOneRequest(200);
  await Promise.all([close(), once(socket, 'close')]);
  finish();
  expect(events).toEqual(['closed']);
});
