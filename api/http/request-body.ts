import { isLosslessNumber, parse } from 'lossless-json';
import { decryptMessage } from '../../encryption/message-encryption.ts';
import type { CryptoKey } from '../../database/projects.ts';
import type { Caller } from './authentication.ts';
import { Refusal } from './refusal.ts';
import { codes } from '../../wire/result-codes.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** How an encrypted body arrived. */
export interface EncryptedBody {
  readonly encData: string;
  readonly cryptoKey: CryptoKey;
}

/** The content of a body, and how it arrived if it was encrypted. */
export interface OpenedBody {
  readonly content: object;
  readonly encrypted?: EncryptedBody;
}

/**
 * Parses a body and decrypts it if it is encrypted. Refuses with `000_906` to `000_908`, and with `000_003` when an
 * encrypted body has no key ID.
 * @param encrypted whether the operation documents an encrypted body
 */
export async function openBody(body: Uint8Array, encrypted: boolean, caller: Caller): Promise<OpenedBody> {
  const outer = parseObject(body);
  if ('encData' in outer) return await decrypt(outer.encData, caller);
  if (encrypted && caller.project.demandsEncryption) throw new Refusal(codes.ENCRYPTION_REQUIRED);
  return { content: outer };
}

async function decrypt(encData: unknown, { project, headers }: Caller): Promise<OpenedBody> {
  const keyId = headers['X-KM-Crypto-Key-Id'];
  if (keyId === undefined) throw new Refusal(codes.MISSING_VALUE, { field: 'X-KM-Crypto-Key-Id' });
  const key = project.cryptoKeys.find(
    ({ cryptoKeyId, state }) => cryptoKeyId === keyId && state === 'ACTIVE',
  );
  if (!key || typeof encData !== 'string') throw new Refusal(codes.DECRYPTION_FAILED);
  const content = await decryptMessage(encData, key.serverPrivateKey).catch(() => {
    throw new Refusal(codes.DECRYPTION_FAILED);
  });
  return { content: parseObject(content), encrypted: { encData, cryptoKey: key } };
}

/**
 * Parses a JSON object. `userId` becomes a string with every digit, whether it was a number or a string. Null counts as
 * missing, because many clients send null for a missing value.
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
