import type { Context } from 'hono';
import { LosslessNumber, stringify } from 'lossless-json';
import { codes, resultCodes } from '../../wire/result-codes.ts';
import type { CryptoKey } from '../../database/projects.ts';
import { encryptMessage } from '../../encryption/message-encryption.ts';
import { isTransient } from '../../runtime/transient-errors.ts';
import type { Api } from '../context.ts';
import { Refusal } from './refusal.ts';

/** Writes an answer that fulfils the request: the payload with `response` beside it, encrypted where a key is given. */
export async function succeed(context: Context<Api>, payload: object, key?: CryptoKey): Promise<Response> {
  context.set('resultCode', codes.SUCCESS);
  const response = { code: codes.SUCCESS, description: resultCodes[codes.SUCCESS].text };
  const body = stringify({ ...payload, response }, writeUserId) ?? '';
  context.header('Content-Type', 'application/json');
  if (!key) return context.body(body, 200);
  context.header('X-KM-Crypto-Key-Id', key.cryptoKeyId);
  const encData = await encryptMessage(Buffer.from(body), key.clientPublicKey);
  return context.body(JSON.stringify({ encData }), 200);
}

/** Inside the program a member ID is a string; on the wire it is a number with all its digits. */
function writeUserId(name: string, value: unknown): unknown {
  return name === 'userId' && typeof value === 'string' ? new LosslessNumber(value) : value;
}

/** Writes the answer to every request that is not fulfilled, whatever door the failure came by. */
export function fail(context: Context<Api>, error: unknown): Response {
  const refusal = asRefusal(error);
  const { status } = resultCodes[refusal.code];
  context.set('resultCode', refusal.code);
  // A refusal was meant; under a flood of requests a second line for each would be a flood too.
  if (status >= 500 && error !== refusal) {
    context.var.log.error({ err: error, code: refusal.code }, 'a request failed');
  }
  const retryAfter = refusal.retryAfter ?? (status === 503 ? 1 : undefined);
  if (retryAfter !== undefined) context.header('Retry-After', String(retryAfter));
  const response = { code: refusal.code, description: refusal.message };
  return context.json({ ...refusal.payload, response }, status);
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal(isTransient(error) ? codes.SERVICE_UNAVAILABLE : codes.INTERNAL_ERROR);
}
