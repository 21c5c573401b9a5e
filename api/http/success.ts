import type { Context } from 'hono';
import { LosslessNumber, stringify } from 'lossless-json';
import { codes, resultCodes } from '../../wire/result-codes.ts';
import type { CryptoKey } from '../../database/projects.ts';
import { encryptMessage } from '../../encryption/message-encryption.ts';
import type { Api } from '../context.ts';

/**
 * Builds the response to a request that succeeded: the payload with `response` beside it.
 * @param key encrypts the response for the client
 */
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

/** A member ID is a string inside the program; on the wire it is a number with all its digits. */
function writeUserId(name: string, value: unknown): unknown {
  return name === 'userId' && typeof value === 'string' ? new LosslessNumber(value) : value;
}
