import { z } from 'zod';
import { bankAccountOperations } from './bank-account-operations.ts';
import { idempotencyKeyHeader, requestHeadersSchema } from './headers.ts';
import { openapiIntroduction, resultCodeList } from './openapi-introduction.ts';
import { describeWebhooks, webhookSchemas } from './openapi-webhooks.ts';
import type { Operation } from './operation.ts';
import { codes, resultCodes } from './result-codes.ts';
import type { ResultCode } from './result-codes.ts';

type Json = Readonly<Record<string, unknown>>;
type Side = 'input' | 'output';

const allCodes = Object.keys(resultCodes) as ResultCode[];
const commonCodes = allCodes.filter((code) => code.startsWith('000_'));

/** Creates the OpenAPI 3.1 document of the API from the operations and the result codes. */
export function createOpenapiDocument() {
  const operations: readonly Operation[] = bankAccountOperations;
  return {
    openapi: '3.1.0',
    info: {
      title: 'Withdrawal account registration',
      version: '1',
      description: openapiIntroduction(),
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      { url: '/open-api', description: "The base path of the platform's sandbox." },
      { url: '/', description: 'The same API without that base path.' },
    ],
    tags: [{ name: 'Bank accounts' }, { name: 'Result notifications' }],
    // OpenAPI has no security scheme for the X-KM headers.
    security: [],
    paths: Object.fromEntries(
      operations.map((operation) => [`/api/v1${operation.path}`, { post: describeOperation(operation) }]),
    ),
    webhooks: describeWebhooks(toSchema),
    components: {
      parameters: requestHeaders(),
      headers: { ...responseHeaders(), 'Retry-After': retryAfter },
      responses: Object.fromEntries(
        refusalStatuses(commonCodes).map((status) => [String(status), describeRefusals(status, commonCodes)]),
      ),
      schemas: {
        Result: {
          description: 'The result of a request.',
          ...object({
            code: { type: 'string', pattern: '^\\d{3}_\\d{3}$' },
            description: { type: 'string' },
          }),
        },
        Refusal: {
          description: 'A refused or failed request. There may be more fields beside `response`.',
          ...object({ response: { $ref: '#/components/schemas/Result' } }),
        },
        EncryptedBody: {
          description: 'An encrypted body: a JWE in compact serialization.',
          ...object({ encData: { type: 'string', pattern: '^[\\w-]+(\\.[\\w-]+){4}$' } }),
        },
        ...webhookSchemas(toSchema),
      },
      examples: Object.fromEntries(allCodes.map((code) => [code, codeExample(code)])),
    },
  };
}

const retryAfter = {
  description: 'Seconds to wait before sending the same request again.',
  required: true,
  schema: { type: 'integer', minimum: 1 },
};

function hasRetryAfter(status: number): boolean {
  return status === 429 || status === 503;
}

function describeOperation(operation: Operation) {
  const { path, title, description, encrypted, answerEncrypted } = operation;
  const encryption = [
    encrypted ? 'Encrypt the request.' : 'The request may be plain.',
    answerEncrypted === 'always' && 'The response is encrypted.',
    answerEncrypted === 'as-asked' && 'The response is encrypted if the request is.',
  ];
  return {
    operationId: operationId(path),
    tags: ['Bank accounts'],
    summary: title,
    description: [description, encryption.filter(Boolean).join(' ')].join('\n\n'),
    parameters: Object.keys(requestHeadersOf(operation).shape).map((name) => ({
      $ref: `#/components/parameters/${name}`,
    })),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: plainOrEncrypted(toSchema(operation.request, 'input')),
          examples: requestExamples(operation.request),
        },
      },
    },
    responses: describeResponses(operation),
  };
}

/** The responses by HTTP status: success, then every code that refuses the request. */
function describeResponses(operation: Operation): Record<string, Json> {
  const refusals = Object.fromEntries(
    refusalStatuses([...operation.codes, ...commonCodes]).map((status) => [
      String(status),
      operation.codes.some((code) => resultCodes[code].status === status)
        ? describeRefusals(status, [...operation.codes, ...commonCodes])
        : { $ref: `#/components/responses/${status}` },
    ]),
  );
  return { '200': describeSuccess(operation), ...refusals };
}

function describeSuccess({ response, answerEncrypted }: Operation): Json {
  const schema = withResult(toSchema(response, 'output'));
  const isPlain = answerEncrypted === undefined;
  return {
    description: resultCodes[codes.SUCCESS].text,
    headers: headerReferences(isPlain ? ['X-KM-Correlation-Id'] : Object.keys(responseHeaders())),
    content: { 'application/json': { schema: isPlain ? schema : plainOrEncrypted(schema) } },
  };
}

function describeRefusals(status: number, possible: readonly ResultCode[]): Json {
  const ofStatus = possible.filter((code) => resultCodes[code].status === status);
  return {
    description: resultCodeList(ofStatus),
    headers: headerReferences(['X-KM-Correlation-Id', ...(hasRetryAfter(status) ? ['Retry-After'] : [])]),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Refusal' },
        examples: Object.fromEntries(
          ofStatus.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
        ),
      },
    },
  };
}

function refusalStatuses(possible: readonly ResultCode[]): number[] {
  const statuses = new Set<number>(possible.map((code) => resultCodes[code].status));
  statuses.delete(200);
  return [...statuses].toSorted((a, b) => a - b);
}

function headerReferences(names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function requestHeadersOf({ changes }: Operation): z.ZodObject {
  return changes ? requestHeadersSchema.extend(idempotencyKeyHeader.partial().shape) : requestHeadersSchema;
}

function requestHeaders() {
  const all = requestHeadersSchema.extend(idempotencyKeyHeader.partial().shape);
  return mapShape(all, (schema, name) => {
    const { description, ...form } = toSchema(schema, 'input');
    return { name, in: 'header', required: !schema.safeParse(undefined).success, description, schema: form };
  });
}

function responseHeaders() {
  const form = (name: keyof typeof requestHeadersSchema.shape) => {
    const { description: _, ...schema } = toSchema(requestHeadersSchema.shape[name], 'output');
    return schema;
  };
  return {
    'X-KM-Correlation-Id': {
      description: "The request's correlation ID, or a new one if the request had no valid one.",
      required: true,
      schema: form('X-KM-Correlation-Id'),
    },
    'X-KM-Crypto-Key-Id': {
      description: 'The key that the response is encrypted for. Absent from a plain response.',
      schema: form('X-KM-Crypto-Key-Id'),
    },
  };
}

/** Two example requests: the required fields, and every field that has an example. */
function requestExamples(request: z.ZodObject): Record<string, Json> {
  const { properties = {}, required = [] } = toSchema(request, 'input') as {
    properties?: Record<string, { examples?: readonly unknown[] }>;
    required?: readonly string[];
  };
  const values = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, properties[name]?.examples?.[0]]));
  const optional = Object.keys(properties).filter(
    (name) => !required.includes(name) && properties[name]?.examples,
  );
  return {
    required: { summary: 'Required parameters', value: values(required) },
    ...(optional.length > 0 && {
      optional: { summary: 'With optional parameters', value: values([...required, ...optional]) },
    }),
  };
}

function codeExample(code: ResultCode): Json {
  const { text } = resultCodes[code];
  return {
    summary: `${code} ${text}`,
    value: { response: { code, description: text } },
  };
}

function plainOrEncrypted(schema: Json): Json {
  return { oneOf: [schema, { $ref: '#/components/schemas/EncryptedBody' }] };
}

function withResult(schema: Json): Json {
  const { properties, required } = schema as { properties: object; required?: readonly string[] };
  return {
    ...schema,
    properties: { ...properties, response: { $ref: '#/components/schemas/Result' } },
    required: [...(required ?? []), 'response'],
  };
}

function object(properties: Json): Json {
  return { type: 'object', properties, required: Object.keys(properties) };
}

function toSchema(schema: z.ZodType, side: Side): Json {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io: side,
    override: ({ jsonSchema, path }) => {
      // The format implies the pattern that zod adds.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      // A later version may add fields.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (path.at(-1) === 'userId') describeUserId(jsonSchema, side);
    },
  });
  return described;
}

/** A member ID is a string inside the program. On the wire it is a number, and requests may send a string. */
function describeUserId(jsonSchema: z.core.JSONSchema.BaseSchema, side: Side): void {
  const { minLength, maxLength, pattern } = jsonSchema;
  delete jsonSchema.minLength;
  delete jsonSchema.maxLength;
  delete jsonSchema.pattern;
  delete jsonSchema.type;
  const integer = { type: 'integer', minimum: 0 } as const;
  if (side === 'output') Object.assign(jsonSchema, integer);
  else jsonSchema.oneOf = [integer, { type: 'string', minLength, maxLength, pattern } as typeof jsonSchema];
}

function mapShape<Result>(
  { shape }: z.ZodObject,
  map: (schema: z.ZodType, name: string) => Result,
): Record<string, Result> {
  return Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => [name, map(schema as z.ZodType, name)]),
  );
}

/** `/bankaccounts/ars/register` becomes `bankaccountsArsRegister`. */
function operationId(path: string): string {
  return path.slice(1).replaceAll(/[/-](\w)/g, (_, letter: string) => letter.toUpperCase());
}
