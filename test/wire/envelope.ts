import assert from 'node:assert/strict';
import { z } from 'zod';
import { bankAccountOperations } from '../../wire/bank-account-operations.ts';
import { correlationIdPattern, idempotencyKeyHeader, requestHeadersSchema } from '../../wire/headers.ts';
import type { Operation } from '../../wire/operation.ts';
import { registrationStatuses } from '../../wire/registration-status.ts';
import { resultCodes, troubles } from '../../wire/result-codes.ts';
import type { ResultCode, ResultCodeEntry, Trouble } from '../../wire/result-codes.ts';
import { decrypt } from '../fixtures/wire-client.ts';
import type { Project, WireAnswer } from '../fixtures/wire-client.ts';

/** A code of the catalogue, followed by the name of the field where the description names one. */
export type Expected =
  | ResultCode
  | `${'000_002' | '000_003' | '000_015'} ${string}`
  | `${'000_907' | '000_908' | '000_912'} ${Trouble}`;

/** The codes whose text names the kind of trouble. */
const troubledCodes = ['000_907', '000_908', '000_912'];

const fields = [
  ...bankAccountOperations.map(({ request }) => request),
  requestHeadersSchema,
  idempotencyKeyHeader,
].flatMap(({ shape }) => Object.keys(shape));
const response = z.strictObject({ code: z.string(), description: z.string() });

/** Every field that a refusal may have. */
const refusal = z.strictObject({
  response,
  status: z.enum(registrationStatuses).optional(),
  reason: z
    .string()
    .regex(/^[A-Z_]+$/)
    .optional(),
  retryable: z.boolean().optional(),
  bankAccRegNo: z
    .string()
    .regex(/^[0-9A-Z]{22}$/)
    .optional(),
  authNumber: z
    .string()
    .regex(/^\d\d$/)
    .optional(),
});

/**
 * Expects an envelope with this code, its HTTP status and its text, and no unexpected fields.
 * @param operation expects that it documents the code, and that the payload matches its schema
 */
export function expectAnswer(answer: WireAnswer, expected: Expected, operation?: Operation): void {
  const [code = '', named] = expected.split(' ');
  const { text } = resultCodes[code as ResultCode];
  assert.equal(answer.body.response.code, code);
  const detail = troubles[named as Trouble] ?? named;
  const namesTrouble = named === undefined && troubledCodes.includes(code);
  if (!namesTrouble)
    assert.equal(answer.body.response.description, detail === undefined ? text : `${text} ${detail}`);
  expectEnvelope(answer, operation);
}

/** Expects an envelope with any code. */
export function expectEnvelope({ status, headers, body, text }: WireAnswer, operation?: Operation): void {
  const { code, description } = body.response;
  assert.ok(code in resultCodes, `${code} is not in the catalogue.`);
  const entry: ResultCodeEntry = resultCodes[code as ResultCode];
  const isDocumented = !operation || code.startsWith('000_') || operation.codes.includes(code as ResultCode);
  assert.ok(isDocumented, `${operation?.path} does not document ${code}.`);
  assert.equal(status, entry.status);
  const namesField = ['000_002', '000_003', '000_015'].includes(code);
  const details = troubledCodes.includes(code) ? Object.values(troubles) : namesField ? fields : undefined;
  const descriptions = details?.map((detail) => `${entry.text} ${detail}`) ?? [entry.text];
  assert.ok(descriptions.includes(description), `"${description}" is not the text of ${code}.`);
  assert.equal(headers.get('content-type'), 'application/json');
  assert.match(headers.get('x-km-correlation-id') ?? '', correlationIdPattern);
  if (status !== 200) refusal.parse(body);
  else if (operation) z.strictObject({ ...operation.response.shape, response }).parse(withMemberIds(text));
}

/** Expects one envelope without a 5xx status as the response to arbitrary bytes, or no response. */
export function expectUnreadable(answer: string): void {
  if (answer === '') return;
  const [, status, body] = /^HTTP\/1\.1 (\d{3}) .*?\r\n\r\n(.*)$/s.exec(answer) ?? [];
  assert.ok(Number(status) < 500, `It is answered with ${status ?? answer}.`);
  if (!body) return;
  const { code } = (JSON.parse(body) as WireAnswer['body']).response;
  assert.equal(resultCodes[code as ResultCode].status, Number(status));
}

/** Parses a response with its member IDs, which are numbers on the wire, as the strings that the schemas expect. */
function withMemberIds(text: string): unknown {
  return JSON.parse(text.replaceAll(/"userId":(\d+)/g, '"userId":"$1"'));
}

/** Decrypts a response if it is encrypted for the project. */
export async function opened(answer: WireAnswer, project: Project): Promise<WireAnswer> {
  const { encData } = answer.body;
  if (encData === undefined) return answer;
  assert.deepEqual(Object.keys(answer.body), ['encData']);
  assert.equal(answer.headers.get('x-km-crypto-key-id'), project.cryptoKeyId);
  const text = await decrypt(encData as string, project);
  return { ...answer, text, body: JSON.parse(text) as WireAnswer['body'] };
}
