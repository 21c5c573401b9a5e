import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bankAccountOperations } from '../../contract/bank-account-operations.ts';
import { requestHeadersSchema } from '../../contract/headers.ts';
import { startStack } from '../stack.ts';
import type { Stack } from '../stack.ts';
import { encrypt, send } from '../wire-client.ts';
import type { Alterations, Project, WireAnswer } from '../wire-client.ts';
import { expectEnvelope, opened } from './envelope.ts';

/** Every run makes the same requests; fast-check prints the seed and the path to a failure. */
const seed = 20_261_122;

let stack: Stack;
let lenient: Project;
let strict: Project;
beforeAll(async () => {
  stack = await startStack();
  [lenient, strict] = stack.projects;
});
afterAll(() => stack.close());

/** Personal data in the requests, nowhere else in the world; no answer may have any of it. */
const planted = {
  bankAccount: '90817263540918273645',
  userName: 'Vorname Nachname-Pflanzmann',
  birthDate: '19870619',
  bankName: 'Bank of Planted Trees',
  mobileNumber: '01098761234',
};
const valid: Readonly<Record<string, unknown>> = {
  ...planted,
  bankCode: '003',
  regNo: '261122093000AB12CD34EF',
};

const operation = fc.constantFrom(...bankAccountOperations);
const member = fc.integer({ min: 0, max: 9 });
const bytes = fc.uint8Array({ maxLength: 300 });
const json = fc.json({ maxDepth: 4, stringUnit: 'binary' });
const text = fc.string({ unit: 'binary', maxLength: 120 });

/** Values near the valid ones: what a field could be by mistake or by malice. */
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

describe(`with seed ${seed}`, { timeout: 120_000 }, () => {
  it('no bytes as a body break the service', async () => {
    await expectAlways(
      fc.asyncProperty(
        operation,
        fc.oneof(
          bytes,
          json.map((content) => Buffer.from(content)),
        ),
        (target, body) => expectHarmless(target, body),
      ),
      300,
    );
  });

  it('no change of a valid body breaks the service or has it give away what was in it', async () => {
    await expectAlways(
      fc.asyncProperty(operation, member, fc.array(change, { maxLength: 3 }), (target, index, changes) =>
        expectHarmless(target, bodyOf(index, lenient, changes)),
      ),
      400,
    );
  });

  it('no cut or exchange of bytes of a valid body breaks the service', async () => {
    await expectAlways(
      fc.asyncProperty(
        operation,
        member,
        fc.nat(),
        fc.nat(),
        bytes,
        async (target, index, from, length, replacement) => {
          const body = Buffer.from(bodyOf(index, lenient, []));
          const start = from % body.length;
          const end = start + (length % 20);
          const spliced = [body.subarray(0, start), replacement.subarray(0, 20), body.subarray(end)];
          await expectHarmless(target, Buffer.concat(spliced));
        },
      ),
      300,
    );
  });

  it('no content of an encrypted body breaks the service', async () => {
    const content = fc.oneof(bytes, json, fc.array(change, { maxLength: 2 }));
    await expectAlways(
      fc.asyncProperty(operation, member, content, async (target, index, inner) => {
        const plain = Array.isArray(inner) ? bodyOf(index, strict, inner) : inner;
        const body = JSON.stringify({ encData: await encrypt(plain, strict) });
        const headers = { 'X-KM-Crypto-Key-Id': strict.cryptoKeyId };
        await expectHarmless(target, body, strict, { headers });
      }),
      300,
    );
  });

  it('nothing in place of an encrypted body breaks the service', async () => {
    const part = fc.oneof(
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
      fc.array(part, { minLength: 4, maxLength: 6 }).map((parts) => parts.join('.')),
      fc.jsonValue(),
    );
    await expectAlways(
      fc.asyncProperty(operation, encData, async (target, inner) => {
        const headers = { 'X-KM-Crypto-Key-Id': strict.cryptoKeyId };
        await expectHarmless(target, JSON.stringify({ encData: inner }), strict, { headers });
      }),
      300,
    );
  });

  it('no headers break the service', async () => {
    const names = [...Object.keys(requestHeadersSchema.shape), 'Content-Type', 'Accept', 'Origin', 'Cookie'];
    // What HTTP allows in a header; fetch refuses the rest.
    const character = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f);
    const characters = character.map((code) => String.fromCharCode(code));
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
      fc.constantFrom('KST', 'UTC', '__proto__', 'constructor', 'application/json', 'a, b'),
    );
    const altered = fc.dictionary(fc.constantFrom(...names), fc.option(headerValue), {
      minKeys: 1,
      maxKeys: 3,
    });
    await expectAlways(
      fc.asyncProperty(operation, altered, async (target, headers) => {
        await expectHarmless(target, bodyOf(0, lenient, []), lenient, { headers });
      }),
      500,
    );
  });
});

function oneCharacterOf(characters: string): fc.Arbitrary<string> {
  return fc.constantFrom(...Array.from(characters));
}

async function expectAlways<Value>(property: fc.IAsyncProperty<Value>, numRuns: number): Promise<void> {
  await fc.assert(property, { seed, numRuns });
}

/** A body with all that any operation asks for, changed. */
function bodyOf(
  index: number,
  project: Project,
  changes: readonly { name: string; value: unknown }[],
): string {
  const fields: [string, unknown][] = [['userId', project.members[index]!.userId], ...Object.entries(valid)];
  const changed = new Map(fields);
  for (const { name, value: newValue } of changes) changed.set(name, newValue);
  return JSON.stringify(Object.fromEntries(changed));
}

async function expectHarmless(
  target: (typeof bankAccountOperations)[number],
  body: string | Uint8Array,
  project = lenient,
  alterations: Alterations = {},
): Promise<void> {
  const path = `/api/v1${target.path}`;
  const answer: WireAnswer = await send(stack.url, project, path, body, alterations);
  expect(answer.status).toBeLessThan(500);
  expectEnvelope(await opened(answer, project), target);
  const told = `${answer.text} ${JSON.stringify([...answer.headers])}`;
  for (const secret of Object.values(planted)) expect(told).not.toContain(secret);
}
