import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createHttpPaymentGateway } from '../../payment-gateway/http/http-payment-gateway.ts';
import { createSimulator } from '../../development/simulator/simulator.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';

const [before, after] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];

/** The steps of a secret change. Each side takes each step on its own. */
const steps = [before, `${before},${after}`, `${after},${before}`, after] as const;

let stack: Stack;
const logLines: string[] = [];
beforeAll(async () => {
  stack = await startStack({ onLogLine: (line) => logLines.push(line) });
});
afterAll(() => stack.close());

const callbackLines = () => logLines.filter((line) => line.includes('"route":"/pg/callbacks"'));

/** Places a call and waits for its callback, between a service and a payment gateway with these secrets. */
async function exchange(ofService: string, ofPaymentGateway: string): Promise<void> {
  const simulator = createSimulator({
    dataDirectory: temporaryDirectory(),
    sharedSecret: ofPaymentGateway,
  });
  const { url: baseUrl } = await simulator.start(0);
  onTestFinished(() => simulator.stop());
  const withSecret = { baseUrl, sharedSecret: ofService };
  const api = await stack.startAnotherApi({
    paymentGateway: createHttpPaymentGateway({ ...withSecret, callbackUrl: 'http://127.0.0.1/unused' }),
  });
  const callbackUrl = `${api}/pg/callbacks`;
  const paymentGateway = createHttpPaymentGateway({ ...withSecret, callbackUrl });
  const reference = randomBytes(11).toString('hex').toUpperCase();
  const sendBy = new Date(Date.now() + 60_000);
  const call = { reference, attempt: 1, phoneNumber: '01012341234', code: '42', scriptVersion: '1', sendBy };
  const countBefore = callbackLines().length;
  await paymentGateway.placeArsCall(call, AbortSignal.timeout(5_000));
  await expect.poll(() => callbackLines().length, { timeout: 20_000 }).toBeGreaterThan(countBefore);
}

/** The number of steps that each side has taken, in chronological order. */
const orders = {
  'the service goes first': [
    [0, 0],
    [1, 0],
    [1, 1],
    [2, 1],
    [2, 2],
    [3, 2],
    [3, 3],
  ],
  'the payment gateway goes first': [
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 2],
    [2, 2],
    [2, 3],
    [3, 3],
  ],
} as const;

it.for(Object.entries(orders))('no message is refused while the secret is changed: %s', async ([, order]) => {
  logLines.length = 0;
  for (const [service, paymentGateway] of order) await exchange(steps[service], steps[paymentGateway]);
  const statuses = callbackLines().map((line) => (JSON.parse(line) as { status: number }).status);
  expect(statuses).toEqual(order.map(() => 200));
});

it('a side that skips a step is refused', async () => {
  const unavailable = { name: 'PaymentGatewayUnavailable' };
  await expect(exchange(steps[2], steps[0])).rejects.toMatchObject(unavailable);
  await expect(exchange(steps[3], steps[0])).rejects.toMatchObject(unavailable);
});
