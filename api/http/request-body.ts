import { isLosslessNumber, parse } from 'lossless-json';
import { decryptMessage } from '../../encryption/message-encryption.ts';
import type { CryptoKey } from '../../database/projects.ts';
import type { Caller } from './authentication.ts';
import type { ApiParts } from '../context.ts';
import { Refusal } from './refusal.ts';
import { codes } from '../../wire/result-codes.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The content of a body, and the key it was encrypted for if it was. */
export interface OpenedBody {
  readonly content: object;
  readonly cryptoKey?: CryptoKey;
}

/** Reads a body, plain or encrypted. Refuses a plain one where the project demands encryption. */
export async function openBody(
  body: Uint8Array,
  encrypted: boolean,
  caller: Caller,
  parts: Pick<ApiParts, 'stores' | 'timeWindow'>,
): Promise<OpenedBody> {
  const outer = parseObject(body);
  if ('encData' in outer) return await decrypt(outer.encData, caller, parts);
  if (encrypted && caller.project.demandsEncryption) throw new Refusal(codes.ENCRYPTION_REQUIRED);
  return { content: outer };
}

async function decrypt(
  encData: unknown,
  { project, headers }: Caller,
  { stores, timeWindow }: Pick<ApiParts, 'stores' | 'timeWindow'>,
): Promise<OpenedBody> {
  const keyId = headers['X-KM-Crypto-Key-Id'];
  if (keyId === undefined) throw new Refusal(codes.MISSING_VALUE, { field: 'X-KM-Crypto-Key-Id' });
  const key = project.cryptoKeys.find(
    ({ cryptoKeyId, state }) => cryptoKeyId === keyId && state === 'ACTIVE',
  );
  if (!key || typeof encData !== 'string') throw new Refusal(codes.DECRYPTION_FAILED);
  const content = await decryptMessage(encData, key.serverPrivateKey).catch(() => {
    throw new Refusal(codes.DECRYPTION_FAILED);
  });
  // A request's times may lie on either side of the clock, so a repeat can pass their check for twice the window.
  const expiresAt = new Date(Date.now() + 2 * timeWindow);
  const isNew = await stores.acceptedCiphertexts.accept(project.aspId, encData, expiresAt);
  if (!isNew) throw new Refusal(codes.CIPHERTEXT_REPEATED);
  return { content: parseObject(content), cryptoKey: key };
}

/**
 * A JSON object whose `userId` is a string with every digit, whichever way it was written. What is null counts as
 * absent, since many clients write an absent value so.
 */
function parseObject(bytes: Uint8Array): object {
  const content = parseJson(bytes);
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new Refusal(codes.NOT_A_JSON_OBJECT);
  return content;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return parse(utf8.decode(bytes), (key, value) => {
      if (value === null) return undefined;
      if (!isLosslessNumber(value)) return value;
      return key === 'userId' ? value.value : Number(value.value);
    });
  } catch {
    throw new Refusal(codes.NOT_A_JSON_OBJECT);
  }
}
