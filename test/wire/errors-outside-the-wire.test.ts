import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueToken } from '../fixtures/bearer-token.ts';
import { sandboxLimits, startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { sendRaw } from '../fixtures/wire-client.ts';

const webUi = 'http://localhost:8233';
const { token, tokens } = issueToken();
const authorized = { authorization: `Bearer ${token}` };

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ api: { codec: { allowedOrigin: webUi, tokens }, operatorTokens: tokens } });
});
afterAll(() => stack.close());

/** A request to one of the routes outside the wire, as it should be, without a body. */
const routes = [
  ['POST', '/codec/decode'],
  ['GET', '/operator/reconciliations'],
  ['GET', '/operator/reconciliations/an-id'],
  ['POST', '/pg/callbacks'],
  ['GET', '/sandbox/credentials'],
  ['GET', '/sandbox/projects/SANDBOXASP00001/callback'],
  ['PUT', '/sandbox/projects/SANDBOXASP00001/callback'],
] as const;

const sentence = expect.stringMatching(/^[A-Z][^\n]{10,150}\.$/);

/** Expects the error shape of the routes outside the wire. @returns the sentence */
async function expectError(response: Response, status: number): Promise<string> {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/json');
  const body = (await response.json()) as { error: string };
  expect(body).toEqual({ error: sentence });
  return body.error;
}

const bearerSentence = 'Send the header "Authorization: Bearer <token>" with a valid token.';

describe('authentication', () => {
  it.for(
    routes
      .filter(([, path]) => /codec|operator/.test(path))
      .flatMap(([method, path]) =>
        (
          [
            ['no token', {}, 401],
            ['a wrong token', { authorization: 'Bearer wrong' }, 401],
            ['another scheme', { authorization: `Basic ${token}` }, 400],
          ] as const
        ).map(([name, headers, status]) => [method, path, name, headers, status] as const),
      ),
  )('%s %s with %s', async ([method, path, , headers, status]) => {
    const response = await fetch(stack.url + path, { method, headers });
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(await expectError(response, status)).toBe(bearerSentence);
  });

  it('a page of another origin', async () => {
    const headers = { ...authorized, origin: 'http://elsewhere.example' };
    await expectError(await fetch(`${stack.url}/codec/decode`, { method: 'POST', headers }), 403);
  });

  it('a callback without a signature', async () => {
    await expectError(await fetch(`${stack.url}/pg/callbacks`, { method: 'POST', body: '{}' }), 401);
  });
});

describe('paths and methods', () => {
  it.for([
    '/codec',
    '/codec/other',
    '/operator',
    '/operator/other',
    '/pg',
    '/pg/callbacks/1',
    '/sandbox/other',
    '/sandbox/projects/SANDBOXASP00001/other',
    '/operator/reconciliations/a%00b',
    '/sandbox/credentials?after=%00',
  ])('%s does not exist', async (path) => {
    expect(await expectError(await fetch(stack.url + path, { headers: authorized }), 404)).toContain('path');
  });

  it.for(
    routes.flatMap(([allowed, path]) =>
      ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']
        .filter((method) => !routes.some((route) => route[0] === method && route[1] === path))
        .map((method) => [method, path, allowed] as const),
    ),
  )('%s %s is not allowed', async ([method, path, allowed]) => {
    const response = await fetch(stack.url + path, { method, headers: authorized });
    expect(response.headers.get('allow')?.split(', ')).toContain(allowed);
    await expectError(response, 405);
  });

  it('keeps the envelope on every other path', async () => {
    for (const path of ['/nowhere', '/docs/nothing', '/sandboxes', '/operators', '/api/v1/operator']) {
      const { response } = (await (await fetch(stack.url + path)).json()) as { response: { code: string } };
      expect(response.code).toBe('000_909');
    }
  });
});

describe('bodies', () => {
  it.for([
    ['POST', '/codec/decode', '{"payloads":1}'],
    ['PUT', '/sandbox/projects/SANDBOXASP00001/callback', '{"callbackUrl":"ftp://here"}'],
    ['PUT', '/sandbox/projects/SANDBOXASP00001/callback', '{'],
  ] as const)('%s %s refuses %s', async ([method, path, body]) => {
    await expectError(await fetch(stack.url + path, { method, body, headers: authorized }), 400);
  });

  it('a signed callback that violates the protocol', async () => {
    const headers = signed('[]');
    await expectError(await fetch(`${stack.url}/pg/callbacks`, { method: 'POST', body: '[]', headers }), 400);
  });

  it('unknown parameters and IDs', async () => {
    const ask = (path: string, init = {}) => fetch(stack.url + path, { headers: authorized, ...init });
    await expectError(await ask('/operator/reconciliations/an-id?limit=0'), 400);
    await expectError(await ask('/operator/reconciliations/an-id'), 404);
    const init = { method: 'PUT', body: '{"callbackUrl":null}' };
    await expectError(await ask('/sandbox/projects/SANDBOXASP99999/callback', init), 404);
  });

  it.for(routes.filter(([method]) => method !== 'GET'))(
    '%s %s refuses more than 64 KiB',
    async ([method, path]) => {
      const body = ' '.repeat(64 * 1024 + 1);
      const response = await fetch(stack.url + path, { method, body, headers: authorized });
      expect(await expectError(response, 413)).toContain('64 KiB');
    },
  );
});

describe('failures', () => {
  it.for(routes)('%s %s of an overloaded service', async ([method, path]) => {
    const url = await stack.startAnotherApi({ limits: { ...sandboxLimits, requestsInFlight: 0 } });
    const response = await fetch(url + path, { method, headers: authorized });
    expect(response.headers.get('retry-after')).toBe('1');
    await expectError(response, 503);
  });

  it('an unexpected error', async () => {
    const fails = () => Promise.reject(new TypeError('internal text'));
    const { stores } = stack;
    const url = await stack.startAnotherApi({
      stores: {
        ...stores,
        reconciliations: { ...stores.reconciliations, list: fails },
        act: fails,
        registrations: { ...stores.registrations, findAny: fails },
      },
    });
    const callback = JSON.stringify({ type: 'REGISTRATION', reference: 'A'.repeat(22), state: 'REGISTERED' });
    const requests = [
      ['/operator/reconciliations', { headers: authorized }],
      ['/sandbox/projects/SANDBOXASP00001/callback', { method: 'PUT', body: '{"callbackUrl":null}' }],
      ['/pg/callbacks', { method: 'POST', body: callback, headers: signed(callback) }],
    ] as const;
    for (const [path, init] of requests) {
      expect(await expectError(await fetch(url + path, init), 500)).not.toContain('internal text');
    }
  });
});

describe('a page of another site, whose name resolves to this machine,', () => {
  it.for([
    ['GET', '/sandbox/credentials'],
    ['PUT', '/sandbox/projects/SANDBOXASP00001/callback'],
    ['POST', '/codec/decode'],
    ['GET', '/operator/reconciliations'],
  ] as const)('reaches nothing of the sandbox by %s %s', async ([method, path]) => {
    const ask = async (host: string, headers: string) => {
      const body = '{"callbackUrl":null,"payloads":[]}';
      const answer = await sendRaw(
        stack.url,
        `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}Authorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
      return Number(answer.split(' ')[1]);
    };
    for (const host of ['localhost:3000', 'localhost', '127.0.0.1:3000', '[::1]:3000', '192.0.2.7'])
      expect([host, await ask(host, '')]).toEqual([host, 200]);
    for (const host of [
      'evil.example',
      'evil.example:3000',
      'localhost.evil.example',
      '127.0.0.1.nip.io',
      '',
    ])
      expect([host, await ask(host, '')]).toEqual([host, 403]);
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1.nip.io', 'http://192.0.2.7'])
      expect([origin, await ask('localhost', `Origin: ${origin}\r\n`)]).toEqual([origin, 403]);
  });
});

describe('requests that never reach the routes', () => {
  it.for([
    ['no Host', 'POST /pg/callbacks HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    [
      'two Hosts',
      'POST /pg/callbacks HTTP/1.1\r\nHost: here\r\nhost: there\r\nConnection: close\r\n\r\n',
      400,
    ],
    ['an unknown expectation', 'POST /pg/callbacks HTTP/1.1\r\nHost: here\r\nExpect: more\r\n\r\n', 400],
    [
      'a malformed chunk',
      'POST /pg/callbacks HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
  ] as const)('a request with %s', async ([, bytes, status]) => {
    expectRawError(await sendRaw(stack.url, bytes), status);
  });

  it('a body that does not arrive in time', async () => {
    const url = new URL(await stack.startAnotherApi({}, { headersTimeout: 400, requestTimeout: 800 }));
    const socket = connect(Number(url.port), url.hostname);
    socket.write('POST /pg/callbacks HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    await once(socket, 'close');
    expectRawError(answer, 408);
  });

  function expectRawError(answer: string, status: number): void {
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toEqual({ error: sentence });
  }
});

/** Signs a callback as the payment gateway's protocol says. */
function signed(body: string) {
  const timestamp = String(Date.now());
  const content = `${timestamp}\n/pg/callbacks\n${body}`;
  const signature = createHmac('sha256', stack.paymentGatewaySecret).update(content).digest('hex');
  return { 'x-pg-timestamp': timestamp, 'x-pg-signature': signature };
}
