import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  createKmClient,
  defineOperation,
  KmAborted,
  KmError,
  KmProtocolError,
  KmRefusal,
  KmUnavailable,
  RegistrationInProgressError,
} from '../../client/index.ts';
import type { UserId } from '../../client/index.ts';
import { sealJwe } from './jwe.ts';
import { envelope, startKmServer } from './km-server.ts';
import type { FakeAnswer } from './km-server.ts';
import { createProjectClient, encryption, project, registration, registrationNumber } from './project.ts';

/** Answers with the member ID of the request. */
const echo = defineOperation({
  name: 'echo',
  path: '/bankaccounts/echo',
  title: 'Echo',
  description: 'Answers with the member.',
  encrypted: true,
  request: z.object({ userId: z.string() }),
  response: z.object({ userId: z.string(), count: z.number().optional() }),
  codes: [],
});

const maxUserId = '99999999999999999999';

/** The error of a call to a server with this answer. */
async function rejectionBy(answer: FakeAnswer, options: Parameters<typeof createProjectClient>[1] = {}) {
  const { baseUrl } = await startKmServer(answer);
  const error: unknown = await createProjectClient(baseUrl, options)
    .register(registration)
    .catch((reason: unknown) => reason);
  if (!(error instanceof KmError)) throw new Error('A KmError was expected.', { cause: error });
  return error;
}

describe('the request', () => {
  test('has the documented headers, the time of the clock, and the token over the body as sent', async () => {
    const server = await startKmServer(envelope('000_000', `"userId":${maxUserId}`));
    const clock = Date.UTC.bind(Date, 2026, 10, 22, 9, 30, 5, 7);
    await createProjectClient(server.baseUrl, { clock }).call(echo, { userId: maxUserId });

    const [request] = server.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/open-api/api/v1/bankaccounts/echo',
      body: '{"userId":99999999999999999999}',
      headers: {
        'content-type': 'application/json',
        'x-km-user-aspid': project.aspId,
        'x-km-access-key': project.accessKey,
        'x-km-correlation-id': expect.stringMatching(/^261122093005-[0-9a-f]{7}$/),
        // Computed with: openssl dgst -sha256 -hmac sandbox-secret -binary | base64
        'x-km-tran-token': 'KMV1:20261122093005007:ac8GPziB4LToLT/W79hYRIvPOQENrPC3ANgO4UnnlAc=',
        'x-km-tran-time': '20261122093005',
        'x-km-time-zone': 'UTC',
      },
    });
    expect(request?.headers).not.toHaveProperty('x-km-crypto-key-id');
  });

  test('has a new correlation ID each time', async () => {
    const server = await startKmServer(envelope('000_000', '"institutions":[]'));
    const km = createProjectClient(server.baseUrl);
    await Promise.all(Array.from({ length: 5 }, () => km.institutions()));
    expect(new Set(server.requests.map(({ headers }) => headers['x-km-correlation-id']))).toHaveLength(5);
  });

  test('is encrypted when there are keys and the operation requires it', async () => {
    const server = await startKmServer((path) =>
      path.endsWith('/auth')
        ? envelope('000_000', '"authNumber":"42"')
        : envelope('000_000', `"bankAccRegNo":"${registrationNumber}"`),
    );
    const km = createProjectClient(server.baseUrl, { encryption });
    await km.register(registration);
    await km.issueArsCode({ userId: 7 });

    const [encrypted, plain] = server.requests;
    expect(encrypted?.headers['x-km-crypto-key-id']).toBe(project.cryptoKeyId);
    expect(JSON.parse(encrypted!.body)).toEqual({ encData: expect.any(String) });
    expect(JSON.parse(encrypted!.content)).toEqual({ ...registration, userId: 10_000_000_001 });
    expect(plain?.headers).not.toHaveProperty('x-km-crypto-key-id');
    expect(plain?.body).toBe('{"userId":7}');
  });

  test.for<[UserId, string]>([
    [maxUserId, maxUserId],
    [99_999_999_999_999_999_999n, maxUserId],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['0', '0'],
  ])('writes the member %s as a number with every digit', async ([userId, digits]) => {
    const server = await startKmServer(envelope('000_000', '"authNumber":"42"'));
    await createProjectClient(server.baseUrl).issueArsCode({ userId });
    expect(server.requests[0]?.body).toBe(`{"userId":${digits}}`);
  });

  test.for<UserId>([2 ** 53, 1.5, -1, -1n, Number.NaN, '', '007', '1e3', ' 1', '12a'])(
    'is not sent for the member %s',
    async (userId) => {
      const server = await startKmServer(envelope('000_000'));
      await expect(createProjectClient(server.baseUrl).issueArsCode({ userId })).rejects.toThrow(RangeError);
      expect(server.requests).toEqual([]);
    },
  );

  test('is sent without a member that is optional and undefined', async () => {
    const server = await startKmServer(envelope('000_000', '"registrations":[]'));
    await createProjectClient(server.baseUrl).list({ userId: undefined });
    expect(server.requests[0]?.body).toBe('{}');
  });

  test('is impossible with an invalid base URL', () => {
    expect(() => createKmClient({ ...project, baseUrl: 'localhost' })).toThrow(TypeError);
  });
});

describe('the answer', () => {
  test.for(['/open-api', '/open-api/'])('is the payload, below %s too', async (basePath) => {
    const server = await startKmServer(
      envelope(
        '000_000',
        '"institutions":[{"bankCode":"003","bankName":"IBK","bankNameKo":"기업은행","bankNameEn":"IBK"}],"more":1',
      ),
    );
    const answer = await createProjectClient(server.url + basePath).institutions();
    expect(answer).toEqual({
      institutions: [{ bankCode: '003', bankName: 'IBK', bankNameKo: '기업은행', bankNameEn: 'IBK' }],
    });
    expect(server.requests[0]?.path).toBe('/open-api/api/v1/bankaccounts/institutions');
  });

  test.for([maxUserId, `"${maxUserId}"`])('keeps every digit of the member %s', async (userId) => {
    const { baseUrl } = await startKmServer(envelope('000_000', `"userId":${userId},"count":3`));
    const answer = await createProjectClient(baseUrl).call(echo, { userId: 1 });
    expect(answer).toEqual({ userId: maxUserId, count: 3 });
  });

  test('is decrypted', async () => {
    const { body } = envelope('000_000', `"userId":${maxUserId}`);
    const encData = sealJwe(body, project.client.publicKey);
    const { baseUrl } = await startKmServer({ status: 200, body: JSON.stringify({ encData }) });
    const answer = await createProjectClient(baseUrl, { encryption }).call(echo, { userId: maxUserId });
    expect(answer).toEqual({ userId: maxUserId });
  });
});

describe('a refusal', () => {
  test('has code, text, correlation ID, payload and whether it is retryable', async () => {
    const server = await startKmServer(envelope('002_910', '"status":"BANK_ACC_REG_FAILED"'));
    const error = await createProjectClient(server.baseUrl)
      .inquire({ regNo: registrationNumber })
      .catch((reason: unknown) => reason);
    const correlationId = server.requests[0]?.headers['x-km-correlation-id'];
    expect(error).toBeInstanceOf(KmRefusal);
    expect(error).toMatchObject({
      name: 'KmRefusal',
      code: '002_910',
      text: 'Text of 002_910.',
      message: `Text of 002_910. (002_910, correlation ID ${String(correlationId)})`,
      retryable: true,
      correlationId,
      payload: { status: 'BANK_ACC_REG_FAILED' },
    });
  });

  test('may have a code that this client does not know', async () => {
    const error = await rejectionBy(envelope('003_123'));
    expect(error).toBeInstanceOf(KmRefusal);
    expect(error).toMatchObject({ code: '003_123', retryable: false });
  });

  test('may be encrypted', async () => {
    const { body } = envelope('001_006');
    const encData = sealJwe(body, project.client.publicKey);
    const error = await rejectionBy({ status: 400, body: JSON.stringify({ encData }) }, { encryption });
    expect(error).toMatchObject({ name: 'KmRefusal', code: '001_006' });
  });

  test('because of a running registration has its number, and hides the ARS code from loggers', async () => {
    const error = await rejectionBy(
      envelope('002_013', `"bankAccRegNo":"${registrationNumber}","authNumber":"42"`),
    );
    expect(error).toBeInstanceOf(RegistrationInProgressError);
    expect(error).toBeInstanceOf(KmRefusal);
    expect(error).toMatchObject({ bankAccRegNo: registrationNumber, authNumber: '42', retryable: true });
    expect(Object.keys(error)).not.toContain('payload');
    expect(JSON.stringify(error)).not.toContain('42"');
  });

  test('because of another running operation has no number', async () => {
    const error = await rejectionBy(envelope('002_013'));
    expect(error).toMatchObject({ bankAccRegNo: undefined, authNumber: undefined });
  });
});

describe('no answer', () => {
  test('is unavailability, with the cause, when the connection breaks', async () => {
    const error = await rejectionBy('drop');
    expect(error).toBeInstanceOf(KmUnavailable);
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', retryable: true, cause: expect.any(TypeError) });
  });

  test.for([
    [503, JSON.stringify({ response: { code: '000_991', description: 'Later.' } }), '000_991', 'Later.'],
    [502, '<html>Bad gateway</html>', 'SERVER_ERROR', 'The service is unavailable (HTTP 502).'],
    [429, '', 'SERVER_ERROR', 'The service is unavailable (HTTP 429).'],
  ] as const)('is unavailability when the status is %s', async ([status, body, code, text]) => {
    const error = await rejectionBy({ status, body });
    expect(error).toMatchObject({ name: 'KmUnavailable', code, text, retryable: true });
  });

  test.for([
    ['3', 3_000],
    ['0', 0],
    ['soon', undefined],
    [undefined, undefined],
  ] as const)('says when to retry: Retry-After %s', async ([retryAfter, retryAfterMs]) => {
    const body = JSON.stringify({ response: { code: '000_914', description: 'Too many.' } });
    const error = await rejectionBy({ status: 429, body, ...(retryAfter && { retryAfter }) });
    expect(error).toMatchObject({ name: 'KmUnavailable', code: '000_914', retryable: true, retryAfterMs });
  });

  test('is unavailability after the timeout', async () => {
    const fetch = vi.fn<typeof globalThis.fetch>(waitForAbort);
    const km = createProjectClient('http://localhost', { fetch, timeoutMs: 20 });
    await expect(km.institutions()).rejects.toMatchObject({ name: 'KmUnavailable', code: 'TIMED_OUT' });
  });

  test("is the caller's own reason when the caller aborts", async () => {
    const km = createProjectClient('http://localhost', { fetch: waitForAbort });
    const controller = new AbortController();
    const answer = km.institutions({ signal: controller.signal });
    controller.abort('enough');
    await expect(answer).rejects.toBe('enough');
    await expect(km.institutions({ signal: controller.signal })).rejects.toBe('enough');
  });
});

describe('an undocumented answer', () => {
  const otherProject = sealJwe('{"response":{"code":"000_000","description":""}}', project.server.publicKey);

  test.for<[string, FakeAnswer]>([
    ['a page', { status: 404, body: '<html>김하늘</html>' }],
    ['nothing', { status: 200, body: '' }],
    ['no envelope', { status: 200, body: '{"bankAccRegNo":"김하늘"}' }],
    ['no result code', { status: 400, body: '{"response":{"code":"NO","description":"김하늘"}}' }],
    ['an encrypted one for another key', { status: 200, body: JSON.stringify({ encData: otherProject }) }],
    ['a payload that does not match the documentation', envelope('000_000', '"bankAccRegNo":"김하늘"')],
    ['an absent payload', envelope('000_000')],
  ])('such as %s is a protocol error that quotes nothing', async ([, answer]) => {
    const error = await rejectionBy(answer, { encryption });
    expect(error).toBeInstanceOf(KmProtocolError);
    expect(error).toMatchObject({ code: 'UNEXPECTED_ANSWER', idempotencyKey: expect.any(String) });
    expect(error).not.toHaveProperty('cause');
    expect(error.message).not.toContain('김하늘');
  });

  test('such as an encrypted one where there are no keys is a protocol error', async () => {
    const error = await rejectionBy({ status: 200, body: JSON.stringify({ encData: otherProject }) });
    expect(error).toBeInstanceOf(KmProtocolError);
  });

  test('to a call that changes nothing has no key, and the same call does not help', async () => {
    const { baseUrl } = await startKmServer({ status: 404, body: '<html></html>' });
    const answer = createProjectClient(baseUrl).institutions();
    await expect(answer).rejects.toMatchObject({
      name: 'KmProtocolError',
      retryable: false,
      idempotencyKey: undefined,
      message: expect.not.stringContaining('idempotencyKey'),
    });
  });

  test('such as a redirect is not followed', async () => {
    const target = await startKmServer(envelope('000_000'));
    const error = await rejectionBy({ status: 307, body: '', location: target.url });
    expect(error).toBeInstanceOf(KmProtocolError);
    expect(target.requests).toEqual([]);
  });

  test('names the invalid field', async () => {
    const error = await rejectionBy(envelope('000_000', '"bankAccRegNo":"short"'));
    expect(error.text).toBe('The answer does not match the documentation: bankAccRegNo.');
  });
});

describe('a lost answer to a call that changes something', () => {
  const accepted = envelope('000_000', `"bankAccRegNo":"${registrationNumber}"`);
  const unknown = {
    retryable: true,
    message: expect.stringMatching(/ The outcome is unknown: call again .* idempotencyKey/),
  };

  test.for<[string, FakeAnswer, string]>([
    ['a page with HTTP 200', { status: 200, body: '<html></html>' }, 'KmProtocolError'],
    ['a page with HTTP 403', { status: 403, body: '<html></html>' }, 'KmProtocolError'],
    ['a truncated body', { status: 200, body: accepted.body.slice(0, 20) }, 'KmProtocolError'],
    ['a payload of another version', envelope('000_000'), 'KmProtocolError'],
    ['a redirect', { status: 302, body: '', location: 'http://localhost/login' }, 'KmProtocolError'],
    ['HTTP 502', { status: 502, body: '' }, 'KmUnavailable'],
    ['a broken connection', 'drop', 'KmUnavailable'],
  ])('because of %s: the error has the key of the request', async ([, lost, name]) => {
    const server = await startKmServer(lost, accepted);
    const km = createProjectClient(server.baseUrl);
    const error: unknown = await km.register(registration).catch((reason: unknown) => reason);
    const { 'idempotency-key': idempotencyKey } = server.requests[0]!.headers;
    expect(idempotencyKey).toMatch(/^[0-9a-f-]{36}$/);
    expect(error).toMatchObject({ ...unknown, name, idempotencyKey });

    await km.register(registration, { idempotencyKey: (error as KmError).idempotencyKey });
    expect(server.requests[1]!.headers['idempotency-key']).toBe(idempotencyKey);
  });

  test('because the caller aborts: the error has the key of the request, and the reason as its cause', async () => {
    const controller = new AbortController();
    const sent = vi.fn<typeof fetch>(waitForAbort);
    const km = createProjectClient('http://localhost', {
      fetch: (url, request) => {
        setTimeout(() => controller.abort(), 0);
        return sent(url, request);
      },
    });
    const { signal } = controller;
    const error: unknown = await km.register(registration, { signal }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KmAborted);
    expect(error).toBeInstanceOf(KmError);
    const idempotencyKey = new Headers(sent.mock.calls[0]![1]!.headers).get('Idempotency-Key');
    expect(idempotencyKey).toMatch(/^[0-9a-f-]{36}$/);
    expect(error).toMatchObject({ ...unknown, code: 'ABORTED', idempotencyKey });
    expect((error as KmError).cause).toBe(signal.reason);
    expect((error as KmError).cause).toMatchObject({ name: 'AbortError' });
  });

  test("because of the caller's time limit: the cause is a TimeoutError", async () => {
    const km = createProjectClient('http://localhost', { fetch: waitForAbort });
    const answer = km.register(registration, { signal: AbortSignal.timeout(5), idempotencyKey: 'order-1' });
    await expect(answer).rejects.toMatchObject({
      ...unknown,
      name: 'KmAborted',
      idempotencyKey: 'order-1',
      cause: expect.objectContaining({ name: 'TimeoutError' }),
    });
  });

  test('because of the rate limit had no effect, and the message does not say that it may have', async () => {
    const error = await rejectionBy({ ...envelope('000_914'), status: 429 });
    expect(error).toMatchObject({ retryable: true, idempotencyKey: expect.any(String) });
    expect(error.message).not.toContain('unknown');
  });
});

/** A service that never answers. */
async function waitForAbort(_url: unknown, request?: { signal?: AbortSignal | null }): Promise<Response> {
  const signal = request?.signal;
  return await new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
}
