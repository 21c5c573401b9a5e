import { afterAll, beforeAll, expect, it } from 'vitest';
import { productionPolicy } from '../../contract/registration-policy.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { defaultCircuitBreakers } from '../../payment-gateway/circuit-breakers.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration } from '../fixtures/wire-client.ts';

/** The maximum time from a reopening until a registration continues, in ms, as promised for production. */
const promised = 60_000;

let stack: Stack;
let nextMember = 0;
beforeAll(async () => {
  // The waits for a reopening are those of production; the others are short.
  stack = await startStack({
    policy: { ...sandboxPolicy, closure: productionPolicy.closure },
    circuitBreakers: defaultCircuitBreakers,
  });
});
afterAll(() => stack.close());

async function registerAll(bankCode: string, count: number): Promise<string[]> {
  const requests = Array.from({ length: count }, () =>
    registration(stack.projects[0], nextMember++, { bankCode }),
  );
  const answers = await Promise.all(
    requests.map((request) => call(stack.url, stack.projects[0], '/ars/register', request)),
  );
  return answers.map(({ body }) => String(body['bankAccRegNo']));
}

/** When each step was, in Unix ms. */
async function stepsOf(regNo: string): Promise<Record<string, number>> {
  const { body } = await call(stack.url, stack.projects[0], '/ars/register/timeline', { regNo });
  const steps = body['steps'] as { step: string; at: string }[];
  return Object.fromEntries(steps.map(({ step, at }) => [step, Date.parse(at)]));
}

const untilPostponed = (regNo: string) =>
  expect.poll(() => stepsOf(regNo), { timeout: 30_000 }).toHaveProperty('POSTPONED');

/** How long after the reopening each registration continued, in ms. */
async function delaysAfter(reopenedAt: number, numbers: readonly string[]): Promise<number[]> {
  return await Promise.all(
    numbers.map(async (regNo) => {
      await expect
        .poll(() => stepsOf(regNo), { timeout: promised + 10_000 })
        .toHaveProperty('ACCOUNT_HOLDER_CHECKED');
      return (await stepsOf(regNo))['ACCOUNT_HOLDER_CHECKED']! - reopenedAt;
    }),
  );
}

function expectStaggered(delays: readonly number[]): void {
  for (const delay of delays) {
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThan(promised);
  }
  // Eight random times within twenty seconds lie within three seconds once in eighty thousand runs.
  expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(3_000);
}

it.concurrent('runs resume within a minute after a maintenance window, with jitter', async () => {
  const reopenedAt = Date.now() + 15_000;
  await stack.stores.bankWindows.add('088', {
    once: { startsAt: new Date(Date.now() - 1_000), endsAt: new Date(reopenedAt) },
  });
  const numbers = await registerAll('088', 8);
  for (const regNo of numbers) await untilPostponed(regNo);
  expectStaggered(await delaysAfter(reopenedAt, numbers));
}, 120_000);

it.concurrent('runs resume within a minute after an outage, with jitter', async () => {
  const setAvailable = (available: boolean) =>
    fetch(`${stack.simulatorUrl}/simulator/banks/081`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ available }),
    });
  await setAvailable(false);
  const numbers = await registerAll('081', 8);
  for (const regNo of numbers) await untilPostponed(regNo);
  const reopenedAt = Date.now();
  await setAvailable(true);
  expectStaggered(await delaysAfter(reopenedAt, numbers));
}, 120_000);
