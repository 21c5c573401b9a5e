import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { wireProperties } from '../fuzz/wire-properties.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';

/** Each run sends different requests. fast-check prints the seed and the path of a failure. */
const seed = randomInt(2 ** 31);
/** `npm run fuzz` makes many more. */
const requests = 2_500;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

it('no request breaks the service or makes it leak anything', { timeout: 240_000 }, async () => {
  const { url, projects, paymentGatewaySecret, payloadKeys, databaseKeys } = stack;
  const secrets = { paymentGatewaySecret, payloadKeys, databaseKeys };
  let unavailable = 0;
  const onAnswer = (status: number) => {
    if (status === 503) unavailable++;
  };
  for (const { name, share, requests: each, property } of wireProperties({
    url,
    projects,
    secrets,
    onAnswer,
  })) {
    await fc
      .assert(property, { seed, numRuns: Math.floor((requests * share) / 1_000 / each) })
      .catch((cause: unknown) => {
        throw new Error(`Broken by ${name} with seed ${seed}: ${String(cause)}`, { cause });
      });
  }
  expect(unavailable).toBeLessThan(requests / 1_000);
});
