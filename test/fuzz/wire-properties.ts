import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  bankAccountOperations,
  deleteAccount,
  registerAccount,
  registerForAutoCharge,
} from '../../wire/bank-account-operations.ts';
import { requestHeadersSchema } from '../../wire/headers.ts';
import { expectEnvelope, expectUnreadable, opened } from '../wire/envelope.ts';
import { encrypt, send, sendRaw, signedHeaders } from '../fixtures/wire-client.ts';
import type { Alterations, Project, WireAnswer } from '../fixtures/wire-client.ts';

/** A running service to test. */
export interface TriedService {
  readonly url: string;
  /** The first takes plain bodies, the second demands encryption. */
  readonly projects: readonly [Project, Project];
  /** Secrets by name that no response may contain, in addition to the projects' keys. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Called for each response with its HTTP status, and its result code if it has one. */
  readonly onAnswer?: (status: number, code: string | undefined) => void;
}

/** A property that must hold for every request of a kind. */
export interface WireProperty {
  readonly name: string;
  /** How many of a thousand requests are of this kind. */
  readonly share: number;
  /** Requests per run of the property. */
  readonly requests: number;
  readonly property: fc.IAsyncProperty<never>;
}

/** Personal data that occurs only in the requests. No response may contain any of it. */
export const planted = {
  bankAccount: '90817263540918273645',
  userName: 'Vorname Nachname-Pflanzmann',
  birthDate: '19870619',
  mobileNumber: '01098761234',
};
const valid: Readonly<Record<string, unknown>> = {
  ...planted,
  // It is given back to whoever asks for the account.
  bankName: 'Bank of Planted Trees',
  bankCode: '003',
  regNo: '261122093000AB12CD34EF',
};

type Operation = (typeof bankAccountOperations)[number];

/** Endpoints other than the operations. */
const otherPaths = [
  '/pg/callbacks',
  '/codec/decode',
  '/healthz',
  '/readyz',
  '/openapi.json',
  '/docs',
  '/docs/docs.css',
  '/sandbox/phone',
  '/sandbox/projects/SANDBOXASP00009/callback',
  '/operator/reconciliations',
  '/operator/reconciliations/01234567-89ab-7def-8123-456789abcdef',
  '/metrics',
  '/',
];

/** A valid request for one of these runs a workflow, which costs as much as dozens of other requests. */
const startsRun: readonly Operation[] = [registerAccount, deleteAccount, registerForAutoCharge];
const operation = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(...bankAccountOperations.filter((one) => !startsRun.includes(one))),
  },
  { weight: 1, arbitrary: fc.constantFrom(...startsRun) },
);
const member = fc.integer({ min: 0, max: 9 });
const bytes = fc.uint8Array({ maxLength: 300 });
const json = fc.json({ maxDepth: 4, stringUnit: 'binary' });
const text = fc.string({ unit: 'binary', maxLength: 120 });

/** Invalid values, as mistakes or attacks would send them. */
const value = fc.oneof(
  fc.jsonValue(),
  text,
  fc.string({
    unit: oneCharacterOf('0123456789-+.eE xX\0\'"\\;<>${}가'),
    maxLength: 25,
  }),
  fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }).map(String),
  fc.constantFrom(
    '__proto__',
    'constructor',
    '../../etc/passwd',
    "' OR 1=1 --",
    '${jndi:x}',
    '\u0000',
    '\ud800',
  ),
  fc.constantFrom(null, true, {}, [], 0, -0, 1e300),
);
const change = fc.record({
  name: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('userId', ...Object.keys(valid)) },
    { weight: 1, arbitrary: text },
  ),
  value: fc.option(value, { nil: undefined, freq: 5 }),
});

/** Parts of a JWE, valid and invalid. */
const jwePart = fc.oneof(
  bytes.map((content) => Buffer.from(content).toString('base64url')),
  fc.json().map((content) => Buffer.from(content).toString('base64url')),
  fc
    .record({
      alg: fc.constantFrom('RSA-OAEP-256', 'RSA1_5', 'dir', 'none', 'A128KW', 'PBES2-HS256+A128KW'),
      enc: fc.constantFrom('A128GCM', 'A256GCM', 'A128CBC-HS256', 'none'),
      zip: fc.option(fc.constantFrom('DEF', 'GZIP'), { nil: undefined }),
      crit: fc.option(fc.constantFrom(['exp'], [], 'b64'), { nil: undefined }),
      p2c: fc.option(fc.constant(2 ** 31), { nil: undefined }),
    })
    .map((header) => Buffer.from(JSON.stringify(header)).toString('base64url')),
  fc.string(),
);
const encData = fc.oneof(
  fc.array(jwePart, { minLength: 4, maxLength: 6 }).map((parts) => parts.join('.')),
  fc.jsonValue(),
);

const headerNames = [
  ...Object.keys(requestHeadersSchema.shape),
  'Content-Type',
  'Accept',
  'Origin',
  'Cookie',
  'Authorization',
  'X-PG-Timestamp',
  'X-PG-Signature',
  'X-Forwarded-For',
  'Content-Encoding',
  'Range',
];
// The characters that HTTP allows in a header; fetch refuses others.
const characters = fc
  .integer({ min: 0x20, max: 0xff })
  .filter((code) => code !== 0x7f)
  .map((code) => String.fromCharCode(code));
const digits = oneCharacterOf('0123456789');
const headerValue = fc.oneof(
  fc.string({ unit: characters, maxLength: 100 }),
  ...[3, 14, 15, 20, 32, 40].map((length) =>
    fc.string({ unit: characters, minLength: length, maxLength: length }),
  ),
  fc.string({ unit: digits, minLength: 14, maxLength: 14 }),
  fc
    .tuple(
      fc.string({ unit: digits, minLength: 17, maxLength: 17 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
    )
    .map(([time, mac]) => `KMV1:${time}:${Buffer.from(mac).toString('base64')}`),
  fc.constantFrom('KST', 'UTC', '__proto__', 'constructor', 'application/json', 'a, b', 'gzip', 'bytes=0-1'),
);
const alteredHeaders = fc.dictionary(fc.constantFrom(...headerNames), fc.option(headerValue), {
  minKeys: 1,
  maxKeys: 3,
});
const contentType = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset=utf-16',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'application/xml',
  '',
);
const method = fc.constantFrom(
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'PROPFIND',
  'post',
);
const pathEnding = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.webPath() },
  {
    weight: 1,
    arbitrary: fc.constantFrom('/', '//', '/..', '/%2e%2e/', '?x=1', '/%00', '%', '/%ff', ';x', '/.git'),
  },
);

/** The properties that must hold, one per kind of request. */
export function wireProperties(service: TriedService): readonly WireProperty[] {
  const [lenient, strict] = service.projects;
  const secrets: Readonly<Record<string, string>> = {
    ...planted,
    ...service.secrets,
    ...Object.fromEntries(
      service.projects.flatMap(({ aspId, accessKey, secretKey, clientPrivateKey }) => [
        [`access key of ${aspId}`, accessKey],
        [`secret key of ${aspId}`, secretKey],
        [`private key of ${aspId}`, clientPrivateKey.split('\n')[1]!],
      ]),
    ),
  };

  function expectNoSecret(response: string): void {
    for (const [name, secret] of Object.entries(secrets)) {
      assert.ok(!response.includes(secret), `The response contains ${name}.`);
    }
    assert.doesNotMatch(response, internals);
  }

  /** Sends to an operation. Expects an envelope with a documented code and without secrets. */
  async function expectHarmless(
    target: Operation,
    body: string | Uint8Array,
    project = lenient,
    alterations: Alterations = {},
    basePath = '/api/v1',
  ): Promise<WireAnswer> {
    const answer = await send(service.url, project, basePath + target.path, body, alterations);
    service.onAnswer?.(answer.status, answer.body?.response?.code);
    assert.ok(answer.status < 500 || isUnavailable(answer), `HTTP ${answer.status}`);
    // A response to HEAD has no body.
    if (alterations.method !== 'HEAD') {
      const content = await opened(answer, project);
      expectEnvelope(content, target);
      const { code } = content.body.response;
      const isDocumented = code.startsWith('000_') || (target.codes as readonly string[]).includes(code);
      assert.ok(isDocumented, `${code} is not documented for ${target.path}.`);
    }
    expectNoSecret(`${answer.text} ${JSON.stringify([...answer.headers])}`);
    return answer;
  }

  /** Sends to any path. Only operations respond with the envelope. */
  async function expectHarmlessAnywhere(path: string, body: string, alterations: Alterations): Promise<void> {
    const bytesOfBody = Buffer.from(body);
    const httpMethod = alterations.method ?? 'POST';
    const hasBody = !['GET', 'HEAD'].includes(httpMethod);
    const headers = { ...signedHeaders(lenient, bytesOfBody), ...alterations.headers };
    const response = await fetch(service.url + path, {
      method: httpMethod,
      headers: Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null),
      redirect: 'manual',
      ...(hasBody ? { body: bytesOfBody } : {}),
    });
    const answer = await response.text();
    service.onAnswer?.(response.status, undefined);
    // An overloaded process may report that it is not ready.
    const isUnready = response.status === 503 && path.startsWith('/readyz');
    assert.ok(response.status < 500 || isUnready, `HTTP ${response.status}`);
    const isDocumentation = response.status === 200 && /^\/(docs|openapi\.json)/.test(path);
    if (!isDocumentation) expectNoSecret(`${answer} ${JSON.stringify([...response.headers])}`);
  }

  const bodyOf = (index: number, project: Project, changes: readonly { name: string; value: unknown }[]) => {
    const { userId } = project.members[index]!;
    const changed = new Map<string, unknown>([['userId', userId], ...Object.entries(valid)]);
    for (const { name, value: newValue } of changes) changed.set(name, newValue);
    return JSON.stringify(Object.fromEntries(changed));
  };
  const encrypted = async (content: string | Uint8Array) =>
    JSON.stringify({ encData: await encrypt(content, strict) });
  const cryptoHeaders = { 'X-KM-Crypto-Key-Id': strict.cryptoKeyId };

  const anyBytes = fc.asyncProperty(
    operation,
    fc.oneof(
      bytes,
      json.map((content) => Buffer.from(content)),
    ),
    async (target, body) => {
      await expectHarmless(target, body);
    },
  );

  const changedBody = fc.asyncProperty(
    operation,
    member,
    fc.array(change, { maxLength: 3 }),
    async (target, index, changes) => {
      await expectHarmless(target, bodyOf(index, lenient, changes), lenient, {}, '/open-api/api/v1');
    },
  );

  const splicedBody = fc.asyncProperty(
    operation,
    member,
    fc.nat(),
    fc.nat(),
    bytes,
    async (target, index, from, length, replacement) => {
      await expectHarmless(target, spliced(bodyOf(index, lenient, []), from, length, replacement));
    },
  );

  const encryptedContent = fc.asyncProperty(
    operation,
    member,
    fc.oneof(bytes, json, fc.array(change, { maxLength: 2 })),
    async (target, index, inner) => {
      const plain = Array.isArray(inner) ? bodyOf(index, strict, inner) : inner;
      await expectHarmless(target, await encrypted(plain), strict, { headers: cryptoHeaders });
    },
  );

  const falseEncryption = fc.asyncProperty(operation, encData, async (target, inner) => {
    await expectHarmless(target, JSON.stringify({ encData: inner }), strict, { headers: cryptoHeaders });
  });

  const anyHeaders = fc.asyncProperty(operation, alteredHeaders, async (target, headers) => {
    await expectHarmless(target, bodyOf(0, lenient, []), lenient, { headers });
  });

  const anyMethodAndType = fc.asyncProperty(
    operation,
    method,
    contentType,
    json,
    async (target, httpMethod, type, body) => {
      const alterations = { method: httpMethod, headers: { 'Content-Type': type } };
      await expectHarmless(target, body, lenient, alterations);
    },
  );

  const anywhere = fc.asyncProperty(
    fc.oneof(
      fc.constantFrom(...otherPaths),
      operation.map(({ path }) => `/api/v1${path}`),
    ),
    pathEnding,
    method,
    alteredHeaders,
    json,
    async (path, ending, httpMethod, headers, body) => {
      await expectHarmlessAnywhere(path + ending, body, { method: httpMethod, headers });
    },
  );

  const replayed = fc.asyncProperty(operation, member, change, async (target, index, one) => {
    const body = await encrypted(bodyOf(index, strict, [one]));
    const first = await expectHarmless(target, body, strict, { headers: cryptoHeaders });
    const again = await expectHarmless(target, body, strict, { headers: cryptoHeaders });
    assert.equal(again.body.response.code, first.body.response.code);
    assert.equal(again.body['bankAccRegNo'], first.body['bankAccRegNo']);
    const [elsewhere] = bankAccountOperations.filter(({ path }) => path !== target.path);
    const moved = await expectHarmless(elsewhere!, body, strict, { headers: cryptoHeaders });
    assert.equal(moved.body.response.code, '000_905');
  });

  const rawBytes = fc.asyncProperty(
    operation,
    fc.nat(),
    fc.nat(),
    bytes,
    async (target, from, length, replacement) => {
      const body = bodyOf(0, lenient, []);
      const headers = Object.entries(signedHeaders(lenient, body)).map((entry) => entry.join(': '));
      const request =
        `POST /api/v1${target.path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
      const answer = await sendRaw(service.url, spliced(request, from, length, replacement), true);
      const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(answer) ?? [];
      service.onAnswer?.(Number(status ?? 0), /"code":"(\d{3}_\d{3})"/.exec(answer)?.[1]);
      expectUnreadable(answer);
      expectNoSecret(answer);
    },
  );

  return [
    of('bytes as a body', 120, anyBytes),
    of('changed values of a valid body', 170, changedBody),
    of('bytes removed from or inserted into a valid body', 120, splicedBody),
    of('content of an encrypted body', 110, encryptedContent),
    of('other content in place of an encrypted body', 110, falseEncryption),
    of('headers', 120, anyHeaders),
    of('methods and content types', 60, anyMethodAndType),
    of('paths, including those for operators and the payment gateway', 70, anywhere),
    of('encrypted requests sent twice', 60, replayed, 2),
    of('bytes removed from or inserted into the HTTP of a valid request', 60, rawBytes),
  ];
}

function of<Values extends [unknown, ...unknown[]]>(
  name: string,
  share: number,
  property: fc.IAsyncProperty<Values>,
  requests = 1,
): WireProperty {
  return { name, share, requests, property: property as unknown as fc.IAsyncProperty<never> };
}

/**
 * Whether this is the documented response to a timeout. An operation that waits for its workflow run responds so on an
 * overloaded machine; the caller checks that it is rare.
 */
function isUnavailable({ status, body }: WireAnswer): boolean {
  return status === 503 && body.response.code === '000_991';
}

/** What would reveal internals: stacks, paths, queries, names of libraries and their errors. */
const internals =
  /\bat .+:\d+:\d+|node_modules|node:internal|file:\/\/|\.ts\b|\bselect \S+ from|insert into|\bsyntax error|drizzle|pglite|postgres|@temporalio|grpc|lossless|\bzod|\bhono|\bjose\b|undici|lmdb|(Type|Syntax|Range|Reference)Error|ERR_[A-Z]|ECONN/i;

function spliced(original: string, from: number, length: number, replacement: Uint8Array): Buffer {
  const whole = Buffer.from(original);
  const start = from % whole.length;
  const end = start + (length % 20);
  return Buffer.concat([whole.subarray(0, start), replacement.subarray(0, 20), whole.subarray(end)]);
}

function oneCharacterOf(choice: string): fc.Arbitrary<string> {
  return fc.constantFrom(...Array.from(choice));
}
