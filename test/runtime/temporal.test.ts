import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createDataConverter } from '../../encryption/data-converter.ts';
import { createTemporalClient } from '../../runtime/temporal.ts';

it('a client keeps trying to reach Temporal every few seconds, however long the outage', async () => {
  let attempts = 0;
  const outage = createServer((socket) => {
    attempts++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void outage.close());
  await once(outage, 'listening');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const address = `127.0.0.1:${(outage.address() as AddressInfo).port}`;
  const { connection } = createTemporalClient(
    { connectionOptions: { address }, namespace: 'default' },
    createDataConverter(`test:${Buffer.alloc(32).toString('base64')}`),
  );
  onTestFinished(() => connection.close());
  const minutes = 5;
  const answered = connection
    .withDeadline(Date.now() + 2 * minutes * 60_000, () => connection.ensureConnected())
    .catch(() => 'never');

  for (let second = 0; second < minutes * 60; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    // The attempt itself is real.
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  }

  // Every 2 s; with the growing waits of gRPC's defaults it is about ten times.
  expect(attempts).toBeGreaterThan(100);
  await vi.advanceTimersByTimeAsync(2 * minutes * 60_000);
  expect(await answered).toBe('never');
});
