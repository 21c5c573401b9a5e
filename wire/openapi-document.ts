import { bankAccountOperations } from './bank-account-operations.ts';
import { idempotencyKeyHeader, requestHeadersSchema } from './headers.ts';
import { refusalExample, refusalPayload, requestExamples, responseExamples } from './openapi-examples.ts';
import { openapiIntroduction, resultCodeList } from './openapi-introduction.ts';
import { describeSchemas, schemaNamesOf, schemaReference, toSchema } from './openapi-schemas.ts';
import { describeWebhooks, webhookSchemas } from './openapi-webhooks.ts';
import type { Operation } from './operation.ts';
import { codes, resultCodes } from './result-codes.ts';
import type { ResultCode } from './result-codes.ts';

type Json = Readonly<Record<string, unknown>>;

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
    tags: [
      { name: 'Bank accounts', description: "Registration and use of members' withdrawal accounts." },
      { name: 'Result notifications', description: 'What the service sends to service providers.' },
    ],
    security: signatures(),
    paths: Object.fromEntries(
      operations.map((operation) => [`/api/v1${operation.path}`, { post: describeOperation(operation) }]),
    ),
    webhooks: describeWebhooks(toSchema),
    components: {
      securitySchemes: signingHeaders(),
      parameters: { 'Idempotency-Key': idempotencyKey() },
      headers: { ...responseHeaders(), 'Retry-After': retryAfter },
      responses: Object.fromEntries(
        refusalStatuses(commonCodes).map((status) => [String(status), describeRefusals(status)]),
      ),
      schemas: { ...describeSchemas(), ...webhookSchemas(toSchema) },
      examples: Object.fromEntries(
        commonCodes.filter((code) => code !== codes.SUCCESS).map((code) => [code, refusalExample(code)]),
      ),
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
  const { name, title, description, encrypted, answerEncrypted, changes } = operation;
  const encryption = [
    encrypted ? 'Encrypt the request.' : 'The request may be plain.',
    answerEncrypted === 'always' && 'The response is encrypted.',
    answerEncrypted === 'as-asked' && 'The response is encrypted if the request is.',
  ];
  return {
    operationId: name,
    tags: ['Bank accounts'],
    summary: title,
    description: [description, encryption.filter(Boolean).join(' ')].join('\n\n'),
    ...(changes && { parameters: [{ $ref: '#/components/parameters/Idempotency-Key' }] }),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: plainOrEncrypted(schemaNamesOf(operation).request),
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
        ? describeRefusals(status, operation)
        : { $ref: `#/components/responses/${status}` },
    ]),
  );
  return { '200': describeSuccess(operation), ...refusals };
}

function describeSuccess(operation: Operation): Json {
  const { response } = schemaNamesOf(operation);
  const isPlain = operation.answerEncrypted === undefined;
  return {
    description: resultCodes[codes.SUCCESS].text,
    headers: headerReferences(isPlain ? ['X-KM-Correlation-Id'] : Object.keys(responseHeaders())),
    content: {
      'application/json': {
        schema: isPlain ? schemaReference(response) : plainOrEncrypted(response),
        examples: responseExamples[operation.name],
      },
    },
  };
}

/** The refusals with this status that every operation has in common, after those of the operation if one is given. */
function describeRefusals(status: number, operation?: Operation): Json {
  const hasStatus = (code: ResultCode) => resultCodes[code].status === status;
  const own = operation?.codes.filter(hasStatus) ?? [];
  const common = commonCodes.filter(hasStatus);
  return {
    description: resultCodeList([...own, ...common]),
    headers: headerReferences(['X-KM-Correlation-Id', ...(hasRetryAfter(status) ? ['Retry-After'] : [])]),
    content: {
      'application/json': {
        schema: schemaReference(operation ? schemaNamesOf(operation).refusal : 'Refusal'),
        examples: Object.fromEntries([
          ...own.map((code) => [code, refusalExample(code, refusalPayload(operation!, code))]),
          ...common.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
        ]),
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

/**
 * The headers that sign a request, as security schemes: as parameters, every method of a generated client would take them
 * as arguments, though they depend on the bytes of the body.
 */
function signingHeaders(): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(requestHeadersSchema.shape).map(([name, { description }]) => [
      name,
      { type: 'apiKey', in: 'header', name, description },
    ]),
  );
}

/** What signs a plain request, and what signs an encrypted one. */
function signatures(): Record<string, readonly string[]>[] {
  const { 'X-KM-Crypto-Key-Id': keyId, ...plain } = Object.fromEntries(
    Object.keys(requestHeadersSchema.shape).map((name) => [name, []]),
  );
  return [plain, { ...plain, 'X-KM-Crypto-Key-Id': keyId! }];
}

function idempotencyKey(): Json {
  const name = 'Idempotency-Key';
  const { description, ...schema } = toSchema(idempotencyKeyHeader.shape[name], 'input');
  return { name, in: 'header', required: false, description, schema };
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

/** Not `oneOf`: an encrypted body would also be a request without required fields. */
function plainOrEncrypted(name: string): Json {
  return { anyOf: [schemaReference(name), schemaReference('EncryptedBody')] };
}
