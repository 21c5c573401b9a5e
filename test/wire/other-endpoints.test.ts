import { createHmac, randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import type { Database } from '../../database/database.ts';
import { createPayloadKeys, requireUnchangedPayloadKeys } from '../../database/payload-keys.ts';
import { KeyRing } from '../../encryption/key-ring.ts';
import { createPayloadCodec } from '../../encryption/payload-codec.ts';
import { issueToken } from '../fixtures/bearer-token.ts';
import { openEmptyDatabase } from '../fixtures/empty-database.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';
import { expectAnswer } from './envelope.ts';

/** A Temporal payload in JSON. */
interface JsonPayload {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}

const webUi = 'http://localhost:8233';
/** While a token is exchanged, both are valid; one has expired. */
const [first, second, expired] = [issueToken(), issueToken('lee'), issueToken('kim', '2026-01-01')];
const codecToken = first.token;

let stack: Stack;
let logged = '';
beforeAll(async () => {
  stack = await startStack({
    api: {
      codec: { allowedOrigin: webUi, tokens: [...expired.tokens, ...first.tokens, ...second.tokens] },
      serveSandbox: undefined,
    },
    intercept: injectFaults(() => ({
      inquireAccountHolder: async (account, signal) => {
        if (account.accountNumber === '11000000500') throw new TypeError('a defect with internal text');
        if (account.accountNumber === '11000000503') throw new PaymentGatewayUnavailable('no answer');
        return await stack.simulated.inquireAccountHolder(account, signal);
      },
    })),
    onLogLine: (line) => {
      logged += line;
    },
  });
});
afterAll(() => stack.close());

describe('callbacks of the payment gateway', () => {
  const path = '/pg/callbacks';
  const unknown = JSON.stringify({ type: 'REGISTRATION', reference: 'A'.repeat(22), state: 'REGISTERED' });
  const minute = 60_000;

  /** Signs a callback as the payment gateway does, with a clock that is `offset` ms ahead. */
  function signed(
    body: string | Uint8Array,
    offset = 0,
    signedPath = path,
    secret = stack.paymentGatewaySecret,
  ) {
    const timestamp = String(Date.now() + offset);
    const signature = createHmac('sha256', secret)
      .update(`${timestamp}\n${signedPath}\n`)
      .update(body)
      .digest('hex');
    return { 'x-pg-timestamp': timestamp, 'x-pg-signature': signature };
  }

  async function sendCallback(body: string | Uint8Array, headers: Readonly<Record<string, string>>) {
    const response = await fetch(stack.url + path, { method: 'POST', body: Buffer.from(body), headers });
    return { status: response.status, body: await response.json() };
  }

  const refused = {
    status: 401,
    body: {
      error: 'The signature does not match or is too old; sign the callback with the shared secret.',
    },
  };
  const invalid = { status: 400, body: { error: 'The body must be a callback of the protocol.' } };
  const acknowledged = { status: 200, body: { acknowledged: true } };

  it.for([
    ['not signed', () => ({})],
    ['signed by another secret', () => signed(unknown, 0, path, 'another secret')],
    ['signed by an empty secret', () => signed(unknown, 0, path, '')],
    ['signed for another path', () => signed(unknown, 0, '/simulator/registrations')],
    ['signed for another body', () => signed(`${unknown} `)],
    ['signed 6 minutes ago', () => signed(unknown, -6 * minute)],
    ['signed 6 minutes ahead', () => signed(unknown, 6 * minute)],
    [
      'signed 6 minutes ago, with a new time',
      () => ({ ...signed(unknown, -6 * minute), 'x-pg-timestamp': String(Date.now()) }),
    ],
    ['signed without a time', () => ({ 'x-pg-signature': signed(unknown)['x-pg-signature'] })],
    [
      'signed with half a signature',
      () => {
        const headers = signed(unknown);
        return { ...headers, 'x-pg-signature': headers['x-pg-signature'].slice(0, 32) };
      },
    ],
  ] as const)('are refused when %s', async ([, headers]) => {
    expect(await sendCallback(unknown, headers() as Record<string, string>)).toEqual(refused);
  });

  it.for([
    '',
    '{',
    'null',
    '[]',
    '{}',
    '{"type":"OTHER","reference":"AAAAAAAAAAAAAAAAAAAAAA","state":"REGISTERED"}',
    '{"type":"REGISTRATION","reference":"AAAAAAAAAAAAAAAAAAAAA","state":"REGISTERED"}',
    '{"type":"REGISTRATION","reference":"AAAAAAAAAAAAAAAAAAAAA\'","state":"REGISTERED"}',
    '{"type":"REGISTRATION","reference":"AAAAAAAAAAAAAAAAAAAAAA","state":"REFUSED"}',
    '{"type":"REGISTRATION","reference":"AAAAAAAAAAAAAAAAAAAAAA","state":"REFUSED","reason":"OTHER"}',
    '{"type":"ARS","reference":"AAAAAAAAAAAAAAAAAAAAAA","attempt":0,"callId":"A","state":"PASSED"}',
    '{"type":"ARS","reference":"AAAAAAAAAAAAAAAAAAAAAA","attempt":1,"callId":"A","state":"FAILED"}',
    '{"type":"ARS","reference":"AAAAAAAAAAAAAAAAAAAAAA","attempt":1,"callId":"A","state":"FAILED","outcome":"PASSED"}',
  ])('are refused with the body %s', async (body) => {
    expect(await sendCallback(body, signed(body))).toEqual(invalid);
  });

  it('are acknowledged for an unknown registration, so the payment gateway stops', async () => {
    expect(await sendCallback(unknown, signed(unknown))).toEqual(acknowledged);
    expect(await sendCallback(unknown, signed(unknown, -4 * minute))).toEqual(acknowledged);
  });

  it('are acknowledged after the end, however often they arrive, and change nothing', async () => {
    const project = stack.projects[0];
    const accepted = await call(stack.url, project, '/ars/register', registration(project, 0));
    const regNo = String(accepted.body['bankAccRegNo']);
    expect((await untilEnded(stack.url, project, regNo)).body['status']).toBe('BANK_ACC_REGISTERED');
    await stack.temporal.workflow.getHandle(project.members[0]!.userId).result();
    for (const callback of [
      { type: 'ARS', reference: regNo, attempt: 1, callId: 'A', state: 'FAILED', outcome: 'WRONG_CODE' },
      { type: 'REGISTRATION', reference: regNo, state: 'REFUSED', reason: 'ACCOUNT_CLOSED' },
    ]) {
      const body = JSON.stringify(callback);
      const headers = signed(body);
      expect(await sendCallback(body, headers)).toEqual(acknowledged);
      expect(await sendCallback(body, headers)).toEqual(acknowledged);
    }
    const { body } = await call(stack.url, project, '/ars/register/inquiry', { regNo });
    expect(body['status']).toBe('BANK_ACC_REGISTERED');
  });

  it('are accepted by POST only', async () => {
    const response = await fetch(stack.url + path, { headers: signed('') });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('the codec for the Temporal Web UI', () => {
  const authorized = { authorization: `Bearer ${codecToken}` };
  const plain = {
    metadata: { encoding: base64('json/plain') },
    data: base64('{"registrationNumber":"261122093000AB12CD34EF"}'),
  };

  async function post(
    direction: string,
    request: unknown,
    headers: Readonly<Record<string, string>> = authorized,
  ) {
    const response = await fetch(`${stack.url}/codec/${direction}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof request === 'string' ? request : JSON.stringify(request),
    });
    const text = await response.text();
    const body = () => JSON.parse(text) as { payloads: JsonPayload[]; error?: string };
    return { status: response.status, headers: response.headers, text, body };
  }

  async function preflight(origin: string) {
    return await fetch(`${stack.url}/codec/decode`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-namespace,authorization',
      },
    });
  }

  it('may be called from the Web UI', async () => {
    const { status, headers } = await preflight(webUi);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(webUi);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-methods')).toBe('POST');
    expect(headers.get('access-control-allow-headers')).toBe('content-type,x-namespace,authorization');
    const decoded = await post('decode', { payloads: [] }, { ...authorized, origin: webUi });
    expect(decoded.headers.get('access-control-allow-origin')).toBe(webUi);
  });

  it.for(['http://localhost:8234', 'https://localhost:8233', 'http://localhost:8233.example.com', 'null'])(
    'may not be called from %s',
    async (origin) => {
      expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
      const decoded = await post('decode', { payloads: [] }, { ...authorized, origin });
      expect(decoded.headers.get('access-control-allow-origin')).toBeNull();
      expect(decoded.status).toBe(403);
      expect(decoded.text).not.toContain('payloads');
    },
  );

  it('needs no token in the sandbox, where pages of other origins are still refused', async () => {
    const url = await stack.startAnotherApi({ codec: { allowedOrigin: webUi } });
    const ask = (headers: Readonly<Record<string, string>>) =>
      fetch(`${url}/codec/decode`, { method: 'POST', headers, body: JSON.stringify({ payloads: [plain] }) });
    expect((await ask({ origin: webUi })).status).toBe(200);
    expect((await ask({})).status).toBe(200);
    expect((await ask({ origin: 'http://elsewhere.example' })).status).toBe(403);
  });

  it.for([
    ['no token', {}, 401],
    ['another token', { authorization: 'Bearer another-token' }, 401],
    ['a token that has expired', { authorization: `Bearer ${expired.token}` }, 401],
    ['the hash of a token', { authorization: `Bearer ${first.tokens[0]!.sha256}` }, 401],
    ['a token of another form', { authorization: 'Bearer a b' }, 400],
    ['another scheme', { authorization: `Basic ${codecToken}` }, 400],
  ] as const)('refuses %s', async ([, headers, status]) => {
    const answer = await post('decode', { payloads: [plain] }, headers);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain('payloads');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
  });

  it('accepts each of several tokens, so one is exchanged without a gap', async () => {
    for (const { token } of [first, second]) {
      const answer = await post('decode', { payloads: [] }, { authorization: `Bearer ${token}` });
      expect(answer.status).toBe(200);
    }
  });

  it('decodes what the service has encrypted, whatever it is', async () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((content) => Buffer.from(content).toString('base64'));
    const name = fc.string({
      unit: fc.constantFrom('a', 'Z', '-', '_', '/', ' ', '가'),
      minLength: 1,
      maxLength: 10,
    });
    const payload = fc.record({ metadata: fc.dictionary(name, bytes, { maxKeys: 3 }), data: bytes });
    const codec = createPayloadCodec(new KeyRing(stack.payloadKeys));
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 4 }), async (payloads) => {
        const sealed = await codec.encode(payloads.map(fromJson));
        for (const { metadata } of sealed) {
          expect(Buffer.from(metadata!['encoding']!).toString()).toBe('binary/encrypted');
        }
        const decoded = await post('decode', { payloads: sealed.map(toJson) });
        expect([decoded.status, decoded.body()]).toEqual([200, { payloads }]);
      }),
      // Different payloads in every run. fast-check prints the seed and the path of a failure.
      { numRuns: 60 },
    );
    const [sealed] = await codec.encode([fromJson(plain)]);
    expect(Buffer.from(sealed!.data!).toString('latin1')).not.toContain('261122093000');
  });

  it('encrypts nothing for anybody, so no token lets anyone forge what a run reads', async () => {
    const answer = await post('encode', { payloads: [plain] });
    expect([answer.status, answer.body()]).toEqual([
      404,
      { error: 'There is no such path; check its spelling.' },
    ]);
  });

  it('decodes the input of a run', async () => {
    const project = stack.projects[0];
    const accepted = await call(stack.url, project, '/ars/register', registration(project, 1));
    const handle = stack.temporal.workflow.getHandle(project.members[1]!.userId);
    const { events } = await handle.fetchHistory();
    const input = events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!;
    const decoded = await post('decode', { payloads: [toJson(input)] });
    expect(JSON.parse(Buffer.from(decoded.body().payloads[0]!.data, 'base64').toString())).toMatchObject({
      registrationNumber: accepted.body['bankAccRegNo'],
    });
  });

  it('leaves an unencrypted payload as it is', async () => {
    expect((await post('decode', { payloads: [plain] })).body()).toEqual({ payloads: [plain] });
  });

  it.for(['test-key', 'other-key'])(
    'refuses a payload of another service under the key ID %s',
    async (keyId) => {
      const foreign = createPayloadCodec(new KeyRing(`${keyId}:${base64(randomBytes(32))}`));
      const [sealed] = await foreign.encode([{ metadata: {}, data: Buffer.from('x') }]);
      const answer = await post('decode', { payloads: [toJson(sealed!)] });
      expect([answer.status, answer.body()]).toEqual([
        400,
        {
          error:
            'A payload cannot be decoded: it was altered, or PAYLOAD_KEYS lacks the key that encrypted it.',
        },
      ]);
    },
  );

  it.for(['', '{', 'null', '{}', '{"payloads":1}', '{"payloads":[1]}', '{"payloads":[{"data":"%"}]}'])(
    'refuses the body %s',
    async (body) => {
      const answer = await post('decode', body);
      expect([answer.status, answer.body()]).toEqual([400, { error: 'The body must be {"payloads":[…]}.' }]);
    },
  );
});

describe('routes that do not exist in production', () => {
  it.for([
    ['GET', '/sandbox/credentials'],
    ['PUT', '/sandbox/projects/SANDBOXASP00001/callback'],
    ['POST', '/sandbox/projects/SANDBOXASP00001/test-notification'],
  ] as const)('%s %s', async ([method, path]) => {
    const body = method === 'PUT' ? { body: '{"callbackUrl":null}' } : {};
    const response = await fetch(stack.url + path, { method, ...body });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: 'There is no such path; check its spelling.' });
  });
});

describe('failures behind the API', () => {
  it('an unexpected error is answered with 000_990 and logged, and the response leaks no internals', async () => {
    const project = stack.projects[0];
    const body = registration(project, 2, { bankAccount: '11000000500' });
    const answer = await call(stack.url, project, '/user/valid', body);
    expectAnswer(answer, '000_990');
    expect(answer.text).not.toMatch(/internal text|TypeError|\.ts/);
    expect(logged).toContain('a defect with internal text');
  });

  it('a payment gateway that does not respond gives 000_991 with Retry-After', async () => {
    const project = stack.projects[0];
    const body = registration(project, 2, { bankAccount: '11000000503' });
    const answer = await call(stack.url, project, '/user/valid', body);
    expectAnswer(answer, '000_991');
    expect(answer.headers.get('retry-after')).toBe('1');
  });
});

describe('health', () => {
  const get = async (path: string, url = stack.url) => {
    const response = await fetch(url + path);
    return { status: response.status, body: await response.json() };
  };

  it('no path may contain NUL', async () => {
    const response = await fetch(`${stack.url}/nowhere%00`);
    expect([response.status, await response.json()]).toMatchObject([404, { response: { code: '000_909' } }]);
  });

  it('is 200 while every dependency responds', async () => {
    expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await get('/readyz')).toEqual({
      status: 200,
      body: { status: 'ready', reasons: [] },
    });
  });

  it('is 503 as soon as the process is asked to stop, while the process is alive and serves', async () => {
    const url = await stack.startAnotherApi({ stopping: AbortSignal.abort() });
    expect(await get('/readyz', url)).toEqual({
      status: 503,
      body: { status: 'not ready', reasons: ['the process is stopping'] },
    });
    expect(await get('/healthz', url)).toMatchObject({ status: 200 });
    expectAnswer(await call(url, stack.projects[0], '/institutions', {}), '000_000');
  });

  it('says what Temporal’s namespace lacks, and the command that mends it', async () => {
    const temporal = new Client({ connection: stack.temporal.connection, namespace: 'nowhere' });
    const url = await stack.startAnotherApi({ temporal });
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        status: 'degraded',
        reasons: [
          'TEMPORAL_NAMESPACE: Temporal has no namespace nowhere. Create it: npm run operator -- setup',
        ],
      },
    ]);
  });

  it('is 503 while the database has other payload keys, older tables, or is read-only', async () => {
    const database = await openEmptyDatabase();
    onTestFinished(() => database.close());
    const keys = `test:${randomBytes(32).toString('base64')}`;
    await createPayloadKeys(database.queries).requireSame(keys);
    const requirePayloadKeys = () => requireUnchangedPayloadKeys(database.queries, keys);
    // A new API each time: what was right is not checked again at once.
    const readiness = async () =>
      await get('/readyz', await stack.startAnotherApi({ database, requirePayloadKeys }));
    expect(await readiness()).toMatchObject({ status: 200 });
    for (const [statement, reason] of [
      [`update payload_keys set fingerprint = 'another'`, /^PAYLOAD_KEYS: not the same key as before/],
      [
        `update drizzle.__drizzle_migrations set hash = 'another'`,
        /^DATABASE_URL: the database lacks migrations/,
      ],
      ['set default_transaction_read_only = on', /^PostgreSQL is read-only$/],
    ] as const) {
      await database.queries.execute(statement);
      expect(await readiness()).toEqual({
        status: 503,
        body: { status: 'not ready', reasons: [expect.stringMatching(reason)] },
      });
    }
  });

  it('asks the database once for concurrent probes', async () => {
    let pings = 0;
    let answer: (state: { isReadOnly: boolean }) => void = () => {};
    const database: Database = {
      ...stack.database,
      ping: () => {
        pings++;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    };
    const url = await stack.startAnotherApi({ database });
    const probes = Array.from({ length: 50 }, async () => (await fetch(`${url}/readyz`)).status);
    await expect.poll(() => pings).toBe(1);
    // The last of them has arrived once a later request has been served.
    await Promise.all(Array.from({ length: 50 }, () => fetch(`${url}/healthz`)));
    answer({ isReadOnly: false });
    await Promise.all(probes);
    expect(pings).toBeLessThan(10);
  });

  it('names the database once it is closed', async () => {
    const database = await openEmptyDatabase();
    const url = await stack.startAnotherApi({ database });
    expect(await get('/readyz', url)).toMatchObject({ status: 200 });
    await database.close();
    expect(await get('/readyz', url)).toEqual({
      status: 503,
      body: { status: 'not ready', reasons: ['PostgreSQL does not answer'] },
    });
  });

  it('names Temporal once it is stopped, and a registration is answered with 000_991', async () => {
    const other = await startStack();
    onTestFinished(() => other.close());
    const project = other.projects[0];
    await other.stopWorker();
    await other.stopTemporal();
    expect(await get('/readyz', other.url)).toEqual({
      status: 200,
      body: { status: 'degraded', reasons: ['Temporal does not answer'] },
    });
    expect(await get('/healthz', other.url)).toEqual({ status: 200, body: { status: 'ok' } });
    const refused = await call(other.url, project, '/ars/register', registration(project, 3));
    expectAnswer(refused, '000_991');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await other.metrics.registry.metrics()).toContain('readiness_problems{kind="temporal"} 1');
  });
});

function toJson({ metadata, data }: Payload): JsonPayload {
  const entries = Object.entries(metadata ?? {}).map(([key, value]) => [key, base64(value)] as const);
  return { metadata: Object.fromEntries(entries), data: base64(data ?? new Uint8Array()) };
}

function fromJson({ metadata, data }: JsonPayload): Payload {
  const bytes = (text: string) => Buffer.from(text, 'base64');
  const entries = Object.entries(metadata).map(([key, value]) => [key, bytes(value)] as const);
  return { metadata: Object.fromEntries(entries), data: bytes(data) };
}

function base64(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64');
}
