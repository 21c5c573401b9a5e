import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { productionPolicy } from '../../contract/registration-policy.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { defaultCircuitBreakers } from '../../payment-gateway/circuit-breakers.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration } from '../fixtures/wire-client.ts';

// Temporal says when each run will look again, so nothing here waits. `closure.test.ts` sees runs resume.

/** The maximum time from a reopening until a registration continues, in ms, as promised for production. */
const promised = 60_000;
const { resumeWithin, lookAgainWithin } = productionPolicy.closure;

let stack: Stack;
let nextMember = 0;
beforeAll(async () => {
  // Waits for closed doors are production's; the others are short.
  stack = await startStack({
    policy: { ...sandboxPolicy, closure: productionPolicy.closure },
    circuitBreakers: defaultCircuitBreakers,
  });
});
afterAll(() => stack.close());

/** Registers for eight members at a closed bank. @returns when each looked, and when it will look again, in Unix ms */
async function looksAt(bankCode: string): Promise<{ lookedAt: number; nextLookAt: number }[]> {
  const requests = Array.from({ length: 8 }, () =>
    registration(stack.projects[0], nextMember++, { bankCode }),
  );
  await Promise.all(requests.map((request) => call(stack.url, stack.projects[0], '/ars/register', request)));
  return await Promise.all(
    requests.map(({ userId }) => vi.waitFor(() => lookOf(String(userId)), { timeout: 30_000 })),
  );
}

async function lookOf(userId: string) {
  const { raw } = await stack.temporal.workflow.getHandle(userId).describe();
  const look = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'awaitReopening');
  if (!look?.lastAttemptCompleteTime || !look.nextAttemptScheduleTime)
    throw new Error('It has not looked yet.');
  return { lookedAt: toMs(look.lastAttemptCompleteTime), nextLookAt: toMs(look.nextAttemptScheduleTime) };
}

function toMs({ seconds, nanos }: { seconds?: unknown; nanos?: number | null }): number {
  return Number(seconds) * 1_000 + Math.floor((nanos ?? 0) / 1_000_000);
}

// Eight at random over twenty seconds are all within three of them one time in eighty thousand.
function expectStaggered(looks: readonly { nextLookAt: number }[]): void {
  const times = looks.map(({ nextLookAt }) => nextLookAt);
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(3_000);
}

it('runs resume within a minute after a maintenance window, with jitter', async () => {
  const endsAt = Date.now() + 20_000;
  await stack.stores.bankWindows.add('088', {
    once: { startsAt: new Date(Date.now() - 1_000), endsAt: new Date(endsAt) },
  });
  const looks = await looksAt('088');
  for (const { nextLookAt } of looks) {
    expect(nextLookAt).toBeGreaterThanOrEqual(endsAt);
    expect(nextLookAt).toBeLessThan(endsAt + promised);
  }
  expectStaggered(looks);
});

it('runs resume within a minute after an outage, with jitter', async () => {
  expect(lookAgainWithin + resumeWithin).toBeLessThan(promised);
  await stack.stores.bankWindows.add('089', {
    once: { startsAt: new Date(Date.now() - 1_000), endsAt: new Date(Date.now() + 24 * 3_600_000) },
  });
  await fetch(`${stack.simulatorUrl}/simulator/banks/081`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ available: false }),
  });
  for (const bankCode of ['089', '081']) {
    const looks = await looksAt(bankCode);
    for (const { lookedAt, nextLookAt } of looks) expect(nextLookAt - lookedAt).toBeLessThan(promised);
    expectStaggered(looks);
  }
});
