import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { productionPolicy } from '../../contract/registration-policy.ts';
import { bankAccountOperations } from '../../wire/bank-account-operations.ts';
import { createOpenapiDocument } from '../../wire/openapi-document.ts';
import { requestHeadersSchema } from '../../wire/headers.ts';
import type { Operation } from '../../wire/operation.ts';
import { resultCodes } from '../../wire/result-codes.ts';

const document = createOpenapiDocument();
const operations: readonly Operation[] = bankAccountOperations;

interface Described {
  readonly parameters: readonly { readonly $ref: string }[];
  readonly responses: Readonly<Record<string, { readonly $ref?: string }>>;
}

const described = (path: string) => document.paths[`/api/v1${path}`]!.post as unknown as Described;

test('openapi.json is up to date (`npm run openapi` writes it)', () => {
  const committed: unknown = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(document)));
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

test('operation IDs are unique', () => {
  const ids = Object.values(document.paths).map(({ post }) => post.operationId);
  expect(new Set(ids).size).toBe(operations.length);
});

test.each(operations)('$path has its headers, its examples and its codes by HTTP status', (operation) => {
  const { parameters, responses } = described(operation.path);
  expect(parameters.map(({ $ref }) => $ref.split('/').at(-1))).toEqual([
    ...Object.keys(requestHeadersSchema.shape),
    ...(operation.changes ? ['Idempotency-Key'] : []),
  ]);

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

test('a member ID is an integer or a string of digits', () => {
  const text = JSON.stringify(described('/bankaccounts/ars/auth'));
  expect(text).toContain('"oneOf":[{"type":"integer","minimum":0},{"type":"string"');
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
