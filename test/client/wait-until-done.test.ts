import { expect, test } from 'vitest';
import type { RegistrationStatus } from '../../client/index.ts';
import { envelope, startKmServer } from './km-server.ts';
import { createProjectClient, registrationNumber } from './project.ts';

const inProgress = envelope('000_000', '"status":"ARS_AUTH_IN_PROGRESS"');
const arsDone = envelope('000_000', '"status":"ARS_AUTH_DONE"');
const registered = envelope('000_000', '"status":"BANK_ACC_REGISTERED"');

test('polls until the account is registered, and reports each change once', async () => {
  const server = await startKmServer(inProgress, inProgress, arsDone, arsDone, registered);
  const statuses: RegistrationStatus[] = [];
  const onStatus = (status: RegistrationStatus) => statuses.push(status);
  const result = await createProjectClient(server.baseUrl).waitUntilDone(registrationNumber, {
    intervalMs: 1,
    onStatus,
  });
  expect(result).toEqual({ status: 'BANK_ACC_REGISTERED' });
  expect(statuses).toEqual(['ARS_AUTH_IN_PROGRESS', 'ARS_AUTH_DONE', 'BANK_ACC_REGISTERED']);
  expect(server.requests).toHaveLength(5);
  expect(server.requests[0]?.body).toBe(`{"regNo":"${registrationNumber}"}`);
});

test('keeps polling through broken connections and server errors', async () => {
  const server = await startKmServer(
    'drop',
    { status: 502, body: 'Bad gateway' },
    inProgress,
    'drop',
    registered,
  );
  const result = await createProjectClient(server.baseUrl).waitUntilDone(registrationNumber, {
    intervalMs: 1,
  });
  expect(result).toEqual({ status: 'BANK_ACC_REGISTERED' });
  expect(server.requests.length).toBeGreaterThanOrEqual(5);
});

test.for([
  ['002_014', '"status":"ARS_AUTH_FAILED"', 'ARS_AUTH_FAILED', true],
  [
    '002_014',
    '"status":"ARS_AUTH_FAILED","reason":"NOT_IN_SERVICE","retryable":false',
    'ARS_AUTH_FAILED',
    false,
  ],
  ['002_913', '"status":"BANK_ACC_REG_FAILED"', 'BANK_ACC_REG_FAILED', true],
  // The platform documents these three without a status.
  ['002_014', '', 'ARS_AUTH_FAILED', true],
  ['002_015', '', 'BANK_ACC_REG_FAILED', false],
  ['002_016', '', 'BANK_ACC_REG_FAILED', false],
] as const)('resolves with the failure %s %s', async ([code, members, status, retryable]) => {
  const { baseUrl } = await startKmServer(inProgress, envelope(code, members));
  const statuses: RegistrationStatus[] = [];
  const result = await createProjectClient(baseUrl).waitUntilDone(registrationNumber, {
    intervalMs: 1,
    onStatus: (changed) => statuses.push(changed),
  });
  const reason = members.includes('reason') ? 'NOT_IN_SERVICE' : undefined;
  expect(result).toEqual({ status, code, text: `Text of ${code}.`, reason, retryable });
  expect(statuses).toEqual(['ARS_AUTH_IN_PROGRESS', status]);
});

test.for(['002_019', '000_901'])('rejects with the refusal %s at once', async (code) => {
  const server = await startKmServer(envelope(code));
  const wait = createProjectClient(server.baseUrl).waitUntilDone(registrationNumber, { intervalMs: 1 });
  await expect(wait).rejects.toMatchObject({ name: 'KmRefusal', code });
  expect(server.requests).toHaveLength(1);
});

test('rejects after the time limit, with the reason why there was no answer', async () => {
  const running = await startKmServer(inProgress);
  const broken = await startKmServer('drop');
  const limits = { intervalMs: 5, timeoutMs: 100 };
  const wait = (server: typeof running) =>
    createProjectClient(server.baseUrl).waitUntilDone(registrationNumber, limits);
  const stillRunning = { name: 'RegistrationStillRunningError', code: 'STILL_RUNNING', retryable: true };
  await expect(wait(running)).rejects.toMatchObject(stillRunning);
  await expect(wait(broken)).rejects.toMatchObject({
    ...stillRunning,
    cause: expect.objectContaining({ code: 'CONNECTION_FAILED' }),
  });
});

test('honours Retry-After', async () => {
  const busy = { ...envelope('000_914'), status: 429, retryAfter: '1' };
  const { baseUrl, requests } = await startKmServer(busy, registered);
  const wait = createProjectClient(baseUrl).waitUntilDone(registrationNumber, {
    intervalMs: 1,
    timeoutMs: 300,
  });
  await expect(wait).rejects.toMatchObject({ code: 'STILL_RUNNING', cause: { code: '000_914' } });
  expect(requests).toHaveLength(1);
});

test('a time limit longer than a timer allows is not reached at once', async () => {
  const { baseUrl } = await startKmServer(inProgress, registered);
  const options = { intervalMs: 5, timeoutMs: Number.POSITIVE_INFINITY };
  const result = await createProjectClient(baseUrl).waitUntilDone(registrationNumber, options);
  expect(result.status).toBe('BANK_ACC_REGISTERED');
});

test("rejects with the caller's reason as soon as the caller aborts", async () => {
  const { baseUrl } = await startKmServer(inProgress);
  const controller = new AbortController();
  const wait = createProjectClient(baseUrl).waitUntilDone(registrationNumber, {
    intervalMs: 60_000,
    signal: controller.signal,
    onStatus: () => setTimeout(() => controller.abort('enough'), 5),
  });
  await expect(wait).rejects.toBe('enough');
});
