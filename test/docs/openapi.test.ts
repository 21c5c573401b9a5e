import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { productionPolicy } from '../../contract/registration-policy.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { bankAccountOperations } from '../../wire/bank-account-operations.ts';
import { institutions } from '../../wire/bank-codes.ts';
import { createOpenapiDocument } from '../../wire/openapi-document.ts';
import { requestHeadersSchema } from '../../wire/headers.ts';
import type { Operation } from '../../wire/operation.ts';
import { resultCodes } from '../../wire/result-codes.ts';

const document = createOpenapiDocument();
const operations: readonly Operation[] = bankAccountOperations;
const schemas: Readonly<Record<string, object>> = document.components.schemas;

interface Described {
  readonly parameters?: readonly { readonly $ref: string }[];
  readonly requestBody: Body;
  readonly responses: Readonly<Record<string, Body>>;
}

interface Body {
  readonly $ref?: string;
  readonly content: Content;
}

type Content = Readonly<Record<'application/json', { readonly schema: object }>>;

const described = (path: string) => document.paths[`/api/v1${path}`]!.post as unknown as Described;

test('openapi.json is up to date (`npm run openapi` writes it)', () => {
  const committed: unknown = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(document)));
});

test('redocly finds nothing to object to (`npm run lint:openapi`)', async () => {
  const linting = promisify(execFile)('npm', ['run', '--silent', 'lint:openapi'], { cwd: projectDirectory });
  await expect(linting).resolves.toMatchObject({ stderr: expect.stringContaining('is valid') });
});

test('every reference can be resolved', () => {
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!));
  expect(references.size).toBeGreaterThan(10);
  for (const reference of references) {
    const target = reference.split('/').reduce<unknown>((outer, key) => (outer as never)[key], document);
    expect({ reference, target }).toEqual({ reference, target: expect.anything() });
  }
});

test('operations and their schemas are named for generated clients', () => {
  const ids = Object.values(document.paths).map(({ post }) => post.operationId);
  expect(new Set(ids).size).toBe(operations.length);
  for (const { name, path } of operations) {
    const { requestBody, responses } = described(path);
    const bodies = [requestBody, responses['200']!, responses['400']!].map((body) =>
      body.$ref ? document.components.responses['400'] : body,
    );
    const [request, success, failure] = bodies.map((body) =>
      JSON.stringify((body as Body).content['application/json'].schema),
    );
    const stem = name.replace(/^./, (letter) => letter.toUpperCase());
    const encrypted = `{"$ref":"#/components/schemas/EncryptedBody"}`;
    expect(request).toBe(`{"anyOf":[{"$ref":"#/components/schemas/${stem}Request"},${encrypted}]}`);
    expect(success).toContain(`{"$ref":"#/components/schemas/${stem}Response"}`);
    expect(failure).toMatch(/^\{"\$ref":"#\/components\/schemas\/\w*Refusal"\}$/);
  }
});

test('every object within a schema has a name', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    const { properties } = schema as { properties?: object };
    expect([name, JSON.stringify(properties ?? {})]).toEqual([name, expect.not.stringContaining('"object"')]);
  }
});

test('the headers that sign a request are security schemes, not arguments', () => {
  const names = Object.keys(requestHeadersSchema.shape);
  expect(Object.values(document.components.securitySchemes)).toEqual(
    names.map((name) => ({ type: 'apiKey', in: 'header', name, description: expect.any(String) })),
  );
  const [plain, encrypted] = document.security.map((alternative) => Object.keys(alternative));
  expect(encrypted!.toSorted()).toEqual(names.toSorted());
  expect(plain).toEqual(names.filter((name) => name !== 'X-KM-Crypto-Key-Id'));
});

test('every bank code is described', () => {
  const { description } = schemas['BankCode'] as { description: string };
  for (const [code, { ko, en }] of Object.entries(institutions)) {
    expect(description).toContain(`| \`${code}\` | ${ko} | ${en} |`);
  }
});

test.each(operations)('$path has its parameters, its examples and its codes by HTTP status', (operation) => {
  const { parameters = [], responses } = described(operation.path);
  expect(parameters.map(({ $ref }) => $ref.split('/').at(-1))).toEqual(
    operation.changes ? ['Idempotency-Key'] : [],
  );

  const { examples } =
    document.paths[`/api/v1${operation.path}`]!.post.requestBody.content['application/json'];
  for (const { value } of Object.values(examples) as { value: Record<string, unknown> }[]) {
    const asParsed = 'userId' in value ? { ...value, userId: String(value['userId']) } : value;
    expect(operation.request.safeParse(asParsed).error).toBeUndefined();
  }

  const common = Object.keys(resultCodes).filter((code) => code.startsWith('000_'));
  for (const code of new Set([...common, ...operation.codes])) {
    const { status } = resultCodes[code as keyof typeof resultCodes];
    const answer = responses[status]?.$ref ? document.components.responses[status] : responses[status];
    expect(JSON.stringify(answer)).toContain(status === 200 ? 'Success.' : `"${code}"`);
  }
});

test('the introduction lists every result code', () => {
  for (const [code, { text, when }] of Object.entries(resultCodes)) {
    expect(document.info.description).toContain(`| \`${code}\` |`);
    expect(document.info.description).toContain(`| ${text} | ${when} |`);
  }
});

test('a member ID is an integer or a string of digits in requests, and an integer in responses', () => {
  const { IssueArsCodeRequest, ListRegistrationsRequest, GetAccountResponse } = schemas;
  const integer = '{"type":"integer","format":"int64","minimum":0}';
  for (const request of [IssueArsCodeRequest, ListRegistrationsRequest]) {
    expect(JSON.stringify(request)).toContain(
      `"oneOf":[${integer},{"type":"string","minLength":1,"maxLength":20,"pattern":"^(0|[1-9]\\\\d*)$"}]`,
    );
  }
  expect(JSON.stringify(GetAccountResponse)).toContain(integer.slice(1, -1));
});

test('the webhook says how often and when a notification is sent again', () => {
  const { description } = document.webhooks.resultNotification.post;
  const { waits } = productionPolicy.resultNotification;
  const units = [
    [60 * 60_000, 'hour'],
    [60_000, 'minute'],
    [1_000, 'second'],
  ] as const;
  const repeats = waits.slice(1).map((wait) => {
    const [length, unit] = units.find(([each]) => wait >= each)!;
    return new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long' }).format(wait / length);
  });
  expect(description).toContain(new Intl.ListFormat('en-GB').format(repeats));
  expect(description).toContain(`${waits.length} deliveries`);
});
