import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backoff } from '../../development/simulator/callback-delivery.ts';
import { eventually, sharedSecret, signed, startBench } from './simulator-fixture.ts';
import type { Bench } from './simulator-fixture.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench({ callDurationMs: 100, registrationDurationMs: 300 });
});
afterEach(() => bench.dispose());

describe('callbacks', () => {
  it('are signed like requests', async () => {
    const { reference } = await bench.call('010-1234-0007');
    const [delivery] = bench.receiver.deliveries(`/callbacks/${reference}`);
    const at = Number(delivery?.headers['x-pg-timestamp']);
    expect(delivery?.headers).toMatchObject(
      signed(`/callbacks/${reference}`, delivery?.rawBody ?? '', sharedSecret, at),
    );
  });

  it('are retried with exponential backoff until they are acknowledged', async () => {
    bench.receiver.failNext(500, 1);
    bench.receiver.failNext(202, 1);
    const { reference } = await bench.call('010-9876-5432');
    const path = `/callbacks/${reference}`;
    await eventually(() => bench.receiver.deliveries(path).length === 3);
    const [first = 0, second = 0, third = 0] = bench.receiver.deliveries(path).map(({ at }) => at);
    expect(second - first).toBeGreaterThanOrEqual(490);
    expect(third - second).toBeGreaterThanOrEqual(990);
    await expect(eventually(() => bench.receiver.deliveries(path).length > 3, 300)).rejects.toThrow(
      'Nothing',
    );
  });

  it('back off from 0.5 s to at most 30 s', () => {
    expect([0, 1, 2, 3, 5, 6, 5000].map(backoff)).toEqual([500, 1000, 2000, 4000, 16_000, 30_000, 30_000]);
  });
});

describe('after a restart', () => {
  it('a call in progress ends and sends its callback', async () => {
    const { reference } = await bench.call('010-9876-5432');
    await bench.stopSimulator();
    expect(bench.callbacks(reference)).toEqual([]);
    await bench.startSimulator();
    await eventually(() => bench.callbacks(reference).length === 1);
  });

  it('an unacknowledged callback is delivered again', async () => {
    bench.receiver.failNext(500, 1);
    const { reference } = await bench.call('010-9876-5432');
    await eventually(() => bench.callbacks(reference).length === 1);
    await bench.stopSimulator();
    await bench.startSimulator();
    await eventually(() => bench.callbacks(reference).length === 2);
    const [first, second] = bench.callbacks(reference);
    expect(second).toEqual(first);
  });

  it('an accepted registration is entered', async () => {
    const body = await bench.registrationFor('110123459006');
    await bench.post('/v1/registrations', body);
    await bench.stopSimulator();
    await bench.startSimulator();
    await eventually(() => bench.callbacks(body.reference).length === 1);
    expect(await bench.get(`/simulator/registrations?userId=${body.memberId}`)).toMatchObject([
      { bankAccRegNo: body.reference, registerCalls: 1 },
    ]);
  });
});
