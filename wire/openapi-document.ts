import { z } from 'zod';
import { bankAccountOperations } from './bank-account-operations.ts';
import { requestHeadersSchema } from './headers.ts';
import { openapiIntroduction, resultCodeList } from './openapi-introduction.ts';
import type { Operation } from './operation.ts';
import { codes, resultCodes } from './result-codes.ts';
import type { ResultCode } from './result-codes.ts';

type Json = Readonly<Record<string, unknown>>;
type Side = 'input' | 'output';

const allCodes = Object.keys(resultCodes) as ResultCode[];
const commonCodes = allCodes.filter((code) => code.startsWith('000_'));

/** The OpenAPI 3.1 description of the API, made from the list of operations and the catalogue of codes. */
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
      { url: '/open-api', description: "The path of the platform's sandbox." },
      { url: '/', description: 'The same without it.' },
    ],
    tags: [{ name: 'Bank accounts' }],
    // Who calls is proven by the X-KM headers, which no security scheme of OpenAPI describes.
    security: [],
    paths: Object.fromEntries(
      operations.map((operation) => [`/api/v1${operation.path}`, { post: describeOperation(operation) }]),
    ),
    components: {
      parameters: requestHeaders(),
      headers: { ...responseHeaders(), 'Retry-After': retryAfter },
      responses: Object.fromEntries(
        refusalStatuses(commonCodes).map((status) => [String(status), describeRefusals(status, commonCodes)]),
      ),
      schemas: {
        Result: {
          description: 'How a request was answered.',
          ...object({
            code: { type: 'string', pattern: '^\\d{3}_\\d{3}$' },
            description: { type: 'string' },
          }),
        },
        Refusal: {
          description: 'A request that was not fulfilled. What else is known may stand beside `response`.',
          ...object({ response: { $ref: '#/components/schemas/Result' } }),
        },
        EncryptedBody: {
          description: 'The body, encrypted: a JWE in compact serialization.',
          ...object({ encData: { type: 'string', pattern: '^[\\w-]+(\\.[\\w-]+){4}$' } }),
        },
      },
      examples: Object.fromEntries(allCodes.map((code) => [code, codeExample(code)])),
    },
  };
}

const retryAfter = {
  description: 'How many seconds to wait before the same request is sent again.',
  required: true,
  schema: { type: 'integer', minimum: 1 },
};

function asksToWait(status: number): boolean {
  return status === 429 || status === 503;
}

function describeOperation(operation: Operation) {
  const { path, title, description, encrypted, answerEncrypted } = operation;
  const encryption = [
    encrypted ? 'The request is to be encrypted.' : 'The request may be plain.',
    answerEncrypted === 'always' && 'The answer is encrypted.',
    answerEncrypted === 'as-asked' && 'The answer is encrypted if the request is.',
  ];
  return {
    operationId: operationId(path),
    tags: ['Bank accounts'],
    summary: title,
    description: [description, encryption.filter(Boolean).join(' ')].join('\n\n'),
    parameters: Object.keys(requestHeadersSchema.shape).map((name) => ({
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
    responses: describeAnswers(operation),
  };
}

/** The answers by HTTP status: what fulfils the request, then every code that refuses it. */
function describeAnswers(operation: Operation): Record<string, Json> {
  const answers = Object.fromEntries(
    refusalStatuses([...operation.codes, ...commonCodes]).map((status) => [
      String(status),
      operation.codes.some((code) => resultCodes[code].status === status)
        ? describeRefusals(status, [...operation.codes, ...commonCodes])
        : { $ref: `#/components/responses/${status}` },
    ]),
  );
  return { '200': describeSuccess(operation), ...answers };
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

function describeRefusals(status: number, codes: readonly ResultCode[]): Json {
  const ofStatus = codes.filter((code) => resultCodes[code].status === status);
  return {
    description: resultCodeList(ofStatus),
    headers: headerReferences(['X-KM-Correlation-Id', ...(asksToWait(status) ? ['Retry-After'] : [])]),
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

function refusalStatuses(codes: readonly ResultCode[]): number[] {
  const statuses = new Set<number>(codes.map((code) => resultCodes[code].status));
  statuses.delete(200);
  return [...statuses].toSorted((a, b) => a - b);
}

function headerReferences(names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function requestHeaders() {
  return mapShape(requestHeadersSchema, (schema, name) => {
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
      description: "The request's; one made by the service where the request had none of the right form.",
      required: true,
      schema: form('X-KM-Correlation-Id'),
    },
    'X-KM-Crypto-Key-Id': {
      description: 'The key an encrypted answer is encrypted for. Absent when the answer is plain.',
      schema: form('X-KM-Crypto-Key-Id'),
    },
  };
}

/** Two requests made of the fields' examples: what is required, and everything that has an example. */
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
    required: { summary: 'What is required', value: values(required) },
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
      // A format says all that zod's pattern for it says.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      // A later version may answer more.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (path.at(-1) === 'userId') describeUserId(jsonSchema, side);
    },
  });
  return described;
}

/** On the wire a member ID is a number, taken as a string too; the program has it as a string. */
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
