import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'undici';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { issueToken } from '../fixtures/bearer-token.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import { sandboxLimits, startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, send, sendSlowly } from '../fixtures/wire-client.ts';
import type { Project, WireAnswer } from '../fixtures/wire-client.ts';
import { expectAnswer } from './envelope.ts';

let stack: Stack;
let noisy: Project;
let quiet: Project;
const logLines: string[] = [];
/** The bank answers real-name checks once `letBankGo` is called. */
let letBankGo: () => void;
let bank: Promise<void>;
function holdBank(): void {
  bank = new Promise((resolve) => {
    letBankGo = resolve;
  });
}

beforeAll(async () => {
  holdBank();
  stack = await startStack({
    onLogLine: (line) => logLines.push(line),
    intercept: injectFaults(() => ({
      inquireAccountHolder: async () => {
        await bank;
        return 'MATCHED';
      },
    })),
  });
  [noisy, quiet] = stack.projects;
});
afterAll(async () => {
  // A worker cannot stop while an activity waits for the bank, whichever of these tests ran.
  letBankGo();
  await stack.close();
});

const institutions = '/institutions';
const codesOf = (answers: readonly WireAnswer[]) => answers.map(({ body }) => body.response.code);

function times<Value>(count: number, make: (index: number) => Promise<Value>): Promise<Value[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}

describe('a project that calls too often', () => {
  const limits = { ...sandboxLimits, requestsPerSecond: 5, requestBurst: 10 };

  it('is refused with 429 and Retry-After, without effect, while another project is not affected', async () => {
    const url = await stack.startAnotherApi({ limits });
    const [loud, soft] = await Promise.all([
      times(60, (index) => call(url, noisy, '/ars/register', registration(noisy, 10 + index))),
      times(5, () => call(url, quiet, institutions, {})),
    ]);

    expect(codesOf(soft)).toEqual(Array(5).fill('000_000'));
    const refused = loud.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(loud.length - refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expectAnswer(answer, '000_914');
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    const { body } = await call(stack.url, noisy, '/ars/register/list', { limit: 100 });
    expect(body['registrations']).toHaveLength(loud.length - refused.length);

    const [{ headers }] = refused as [WireAnswer];
    // A client that waits as long as it was asked to is served.
    await delay(Number(headers.get('retry-after')) * 1_000);
    expectAnswer(await call(url, noisy, institutions, {}), '000_000');
  });

  it('loses no quota to unauthenticated requests in its name', async () => {
    const url = await stack.startAnotherApi({ limits });
    const stranger = { ...noisy, secretKey: 'not the key of the project' };
    const strange = await times(60, () => call(url, stranger, institutions, {}));
    expect(codesOf(strange)).toEqual(Array(60).fill('000_903'));
    expectAnswer(await call(url, noisy, institutions, {}), '000_000');
  });

  it('is counted across all operations and both base paths', async () => {
    const url = await stack.startAnotherApi({ limits });
    const answers = await times(60, (index) =>
      index % 2 === 0
        ? call(url, noisy, institutions, {})
        : send(url, noisy, '/api/v1/bankaccounts/ars/register/list', '{}'),
    );
    expect(codesOf(answers).filter((code) => code === '000_000').length).toBeLessThan(60);
    const { values } = await stack.metrics.limitedRequests.get();
    expect(values).toContainEqual(
      expect.objectContaining({ labels: { project: noisy.aspId, limit: 'rate' }, value: expect.any(Number) }),
    );
  });
});

it('a project whose requests all wait for its bank does not delay other projects, and is refused beyond its concurrency limit', async () => {
  const limits = { ...sandboxLimits, concurrentRequests: 2, waitingRequests: 3 };
  const url = await stack.startAnotherApi({ limits });
  const { userName, birthDate, userId } = noisy.members[0]!;
  const holder = { userId, userName, birthDate, bankAccount: '11012345678', bankCode: '003' };
  onTestFinished(letBankGo);
  let refusals = 0;
  const answers = times(8, async () => {
    const answer = await call(url, noisy, '/user/valid', holder);
    if (answer.body.response.code === '000_914') refusals++;
    return answer;
  });
  // Now two are at the bank, three wait, and no slot is left.
  await vi.waitUntil(() => refusals === 3, 30_000);

  const refused = await call(url, noisy, '/user/valid', holder);
  expectAnswer(refused, '000_914');
  expect(refused.headers.get('retry-after')).toBe('1');
  const { values } = await stack.metrics.limitedRequests.get();
  expect(values).toContainEqual({ labels: { project: noisy.aspId, limit: 'concurrency' }, value: 4 });
  // One after another, because the quiet project has no more slots either.
  for (let index = 0; index < 10; index++) {
    expectAnswer(await call(url, quiet, institutions, {}), '000_000');
  }

  letBankGo();
  expect(codesOf(await answers).filter((code) => code !== '000_914')).toEqual(Array(5).fill('000_000'));
  expectAnswer(await call(url, noisy, institutions, {}), '000_000');
});

it('a request above the limit of requests in flight is refused with 503, and liveness still answers', async () => {
  holdBank();
  onTestFinished(letBankGo);
  const url = await stack.startAnotherApi({ limits: { ...sandboxLimits, requestsInFlight: 2 } });
  const { userName, birthDate, userId } = noisy.members[0]!;
  const holder = { userId, userName, birthDate, bankAccount: '11012345678', bankCode: '003' };
  let refused: WireAnswer | undefined;
  const answers = times(3, async () => {
    const answer = await call(url, noisy, '/user/valid', holder);
    if (answer.body.response.code === '000_991') refused = answer;
    return answer;
  });
  await expect.poll(() => refused, { timeout: 30_000 }).toBeDefined();
  expectAnswer(refused!, '000_991');
  expect(refused!.headers.get('retry-after')).toBe('1');
  expectAnswer(await call(url, quiet, institutions, {}), '000_991');
  expect((await fetch(`${url}/healthz`)).status).toBe(200);

  letBankGo();
  expect(codesOf(await answers).toSorted()).toEqual(['000_000', '000_000', '000_991']);
  expectAnswer(await call(url, quiet, institutions, {}), '000_000');
});

it('slow requests do not use up the slots of complete ones', async () => {
  const url = await stack.startAnotherApi({ limits: { ...sandboxLimits, requestsInFlight: 2 } });
  const path = `/open-api/api/v1/bankaccounts${institutions}`;
  const slow = Array.from({ length: 5 }, () => sendSlowly(url, noisy, path, `{${' '.repeat(100)}}`));
  await Promise.all(slow.map(({ begun }) => begun));
  expectAnswer(await call(url, quiet, institutions, {}), '000_000');
  for (const { finish } of slow) expect((await finish()).response.code).toBe('000_000');
});

it('the number of unread large responses is limited, and small ones are still served', async () => {
  const url = await stack.startAnotherApi({});
  // Far more than the few responses per connection that the kernel buffers.
  const clients = Array.from({ length: 40 }, () => new Client(url, { pipelining: 10 }));
  onTestFinished(async () => void (await Promise.all(clients.map((client) => client.destroy()))));
  const large = { method: 'GET', path: '/docs/swagger-ui-bundle.js', blocking: false } as const;
  const asked = clients.map((client) => Array.from({ length: 10 }, () => client.request(large)));
  await Promise.all(asked.map(async ([first]) => first));
  expectAnswer(await call(url, quiet, institutions, {}), '000_000');

  const statuses = await Promise.all(
    asked.flat().map(async (answer) => {
      const { statusCode, body } = await answer;
      await body.dump({ limit: Infinity });
      return statusCode;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
  expect((await fetch(`${url}/docs/docs.css`)).status).toBe(200);
});

describe('a request that is not authenticated', () => {
  const unknown = { headers: { 'X-KM-User-AspId': 'NOSUCHASP000001' } };
  const path = `/api/v1/bankaccounts${institutions}`;
  const loggedOf = (answer: WireAnswer) => {
    const correlationId = answer.headers.get('x-km-correlation-id')!;
    return JSON.parse(logLines.find((line) => line.includes(correlationId))!) as Record<string, unknown>;
  };

  it('is logged with the ASP ID that it claims and the address of its client', async () => {
    const direct = await send(stack.url, noisy, path, '{}', unknown);
    expectAnswer(direct, '000_901');
    expect(loggedOf(direct)).toMatchObject({ claimedAspId: 'NOSUCHASP000001', address: '127.0.0.1' });

    const url = await stack.startAnotherApi({ trustedProxies: 1 });
    const headers = { ...unknown.headers, 'X-Forwarded-For': '198.51.100.1, 203.0.113.7' };
    const forwarded = await send(url, noisy, path, '{}', { headers });
    expect(loggedOf(forwarded)).toMatchObject({ claimedAspId: 'NOSUCHASP000001', address: '203.0.113.7' });

    const authenticated = loggedOf(await send(url, noisy, path, 'no JSON'));
    expect(authenticated).toMatchObject({ aspId: noisy.aspId });
    expect(authenticated).not.toHaveProperty('address');
  });

  it('waits after many failures, while valid ones of the same client are served at once', async () => {
    const { token, tokens } = issueToken();
    const url = await stack.startAnotherApi({
      limits: { ...sandboxLimits, failuresPerMinute: 1 },
      operatorTokens: tokens,
    });
    const stranger = { ...noisy, secretKey: 'not the key of the project' };
    const askOperator = (given: string) =>
      fetch(`${url}/operator/reconciliations`, { headers: { authorization: `Bearer ${given}` } });
    // Each waits twice as long as the one before.
    for (let failure = 0; failure < 6; failure++) await call(url, stranger, institutions, {});
    let answered = 0;
    const late = [() => call(url, stranger, institutions, {}), () => askOperator('a-guess')];
    const refused = late.map((attempt) => attempt().finally(() => answered++));
    const valid = [() => call(url, noisy, institutions, {}), () => askOperator(token)];
    for (const ask of valid) expect((await ask()).status).toBe(200);
    expect(answered).toBe(0);
    expect((await Promise.all(refused)).map(({ status }) => status)).toEqual([400, 401]);
  });
});
