import { z } from 'zod';
import { bankAccountOperations } from './bank-account-operations.ts';
import { namedSchemas } from './bank-account-schemas.ts';
import { bankCodeTable } from './openapi-introduction.ts';
import type { Operation } from './operation.ts';

type Json = Readonly<Record<string, unknown>>;

/** Which form of a schema is described: what a request may have (`input`) or what a response has (`output`). */
export type Side = 'input' | 'output';

const result = z
  .object({
    code: z
      .string()
      .regex(/^\d{3}_\d{3}$/)
      .meta({ description: 'The result code. `000_000` stands for success.', examples: ['000_000'] }),
    description: z.string().meta({ description: 'What the code means.', examples: ['Success.'] }),
  })
  .meta({ description: 'The result of a request.' });

const refusal = z
  .object({ response: result })
  .meta({ description: 'A refused or failed request. A later version may add fields beside `response`.' });

const encryptedBody = z
  .object({
    encData: z
      .string()
      .regex(/^[\w-]+(\.[\w-]+){4}$/)
      .meta({ description: 'A JWE in compact serialization.' }),
  })
  .meta({ description: 'An encrypted body.' });

/** The names of an operation's schemas: `RegisterAccountRequest`, `RegisterAccountResponse`. */
export function schemaNamesOf({ name, refusal: ofOperation }: Operation) {
  const stem = `${name[0]!.toUpperCase()}${name.slice(1)}`;
  return {
    request: `${stem}Request`,
    response: `${stem}Response`,
    refusal: ofOperation ? `${stem}Refusal` : 'Refusal',
  };
}

/** A reference to one of the document's schemas. */
export function schemaReference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** Describes the requests, responses and refusals of all operations, and what they have in common, by name. */
export function describeSchemas(): Record<string, Json> {
  const requests: Record<string, z.ZodType> = {};
  const responses: Record<string, z.ZodType> = {};
  for (const operation of bankAccountOperations as readonly Operation[]) {
    const names = schemaNamesOf(operation);
    requests[names.request] = operation.request;
    responses[names.response] = operation.response.extend({ response: result });
    if (operation.refusal) responses[names.refusal] = operation.refusal.extend({ response: result });
  }
  const common = { Result: result, Refusal: refusal, EncryptedBody: encryptedBody };
  const schemas = {
    ...toSchemas({ ...namedSchemas, ...requests }, 'input'),
    ...toSchemas({ ...namedSchemas, ...common, ...responses }, 'output'),
  };
  const ofBankCode = [schemas['BankCode']!['description'], bankCodeTable()].join('\n\n');
  return { ...schemas, BankCode: { ...schemas['BankCode'], description: ofBankCode } };
}

/** Describes a schema in JSON Schema, without references. */
export function toSchema(schema: z.ZodType, side: Side): Json {
  return withoutMeta(z.toJSONSchema(schema, settings(side)));
}

/** Describes schemas that refer to each other by their names. */
function toSchemas(schemas: Readonly<Record<string, z.ZodType>>, side: Side): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const uri = (id: string) => schemaReference(id)['$ref'] as string;
  const described = z.toJSONSchema(registry, { ...settings(side), uri }).schemas;
  return Object.fromEntries(Object.entries(described).map(([name, schema]) => [name, withoutMeta(schema)]));
}

function settings(side: Side) {
  return {
    io: side,
    override: ({
      jsonSchema,
      path,
    }: {
      jsonSchema: z.core.JSONSchema.BaseSchema;
      path: (string | number)[];
    }) => {
      // The format implies the pattern that zod adds.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      // A later version may add fields.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (path.at(-1) === 'userId' && jsonSchema.type === 'string') describeUserId(jsonSchema, side);
    },
  };
}

function withoutMeta({ $schema: _schema, $id: _id, ...schema }: z.core.JSONSchema.BaseSchema): Json {
  return schema;
}

/** A member ID is a string inside the program. On the wire it is a number, and requests may send a string. */
function describeUserId(jsonSchema: z.core.JSONSchema.BaseSchema, side: Side): void {
  const { minLength, maxLength, pattern } = jsonSchema;
  delete jsonSchema.minLength;
  delete jsonSchema.maxLength;
  delete jsonSchema.pattern;
  delete jsonSchema.type;
  // Without a format, generators for Java and Go choose 32 bits.
  const integer = { type: 'integer', format: 'int64', minimum: 0 } as const;
  if (side === 'output') Object.assign(jsonSchema, integer);
  else jsonSchema.oneOf = [integer, { type: 'string', minLength, maxLength, pattern } as typeof jsonSchema];
}
