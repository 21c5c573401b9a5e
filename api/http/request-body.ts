import { isLosslessNumber, parse } from 'lossless-json';
import { decryptMessage } from '../../encryption/message-encryption.ts';
import type { CryptoKey } from '../../database/projects.ts';
import type { Caller } from './authentication.ts';
import { Refusal } from './refusal.ts';
import { codes } from '../../wire/result-codes.ts';
import type { Trouble } from '../../wire/result-codes.ts';
import { errorCode } from '../../runtime/error-code.ts';

/** The codes of jose's errors for an algorithm that is not allowed, and for compression. */
const algorithmRefused = ['ERR_JOSE_ALG_NOT_ALLOWED', 'ERR_JOSE_NOT_SUPPORTED'];

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
  if (!key) throw unopened('KEY_ID');
  if (typeof encData !== 'string' || encData.split('.').length !== 5) throw unopened('NOT_A_JWE');
  if (!/^[\w.-]+$/.test(encData)) throw unopened('PADDING');
  const content = await decryptMessage(encData, key.serverPrivateKey).catch((error: unknown) => {
    throw unopened(algorithmRefused.includes(errorCode(error) ?? '') ? 'ALGORITHM' : 'KEY');
  });
  return { content: parseObject(content), encrypted: { encData, cryptoKey: key } };
}

/**
 * Parses a JSON object. `userId` becomes a string with every digit, whether it was a number or a string. Null counts as
 * missing, because many clients send null for a missing value.
 */
function parseObject(bytes: Uint8Array): object {
  const content = parseJson(decodeUtf8(bytes));
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw notAnObject('NOT_AN_OBJECT');
  return content;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw notAnObject(isCutInCharacter(bytes) ? 'TRUNCATED' : 'NOT_UTF8');
  }
}

/** Whether only the end of the last character is missing. */
function isCutInCharacter(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function parseJson(text: string): unknown {
  try {
    return parse(text, readValue, {
      onDuplicateKey: () => {
        throw notAnObject('DUPLICATE_KEY');
      },
    });
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw notAnObject(endsTooEarly(text, error) ? 'TRUNCATED' : 'MALFORMED');
  }
}

function readValue(key: string, value: unknown): unknown {
  if (value === null) return undefined;
  if (!isLosslessNumber(value)) return value;
  return key === 'userId' ? value.value : Number(value.value);
}

/** The beginning of a literal, a number or an escape sequence at the end of a text. */
const cutToken =
  /(?<![\w"])(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|-?\d*\.?\d*(?:[eE][+-]?)?)$|\\(?:u[\dA-Fa-f]{0,3})?$/;

/** Whether the parser stopped at the end of the text, where it expected more. */
function endsTooEarly(text: string, error: unknown): boolean {
  const { message } = error as SyntaxError;
  const [, position] = /at position (\d+)$/.exec(message) ?? [];
  const cut = cutToken.exec(text);
  const end = cut ? cut.index : text.length;
  return message.endsWith('reached end of input') || Number(position) >= end;
}

function unopened(trouble: Trouble): Refusal {
  return new Refusal(codes.DECRYPTION_FAILED, { trouble });
}

function notAnObject(trouble: Trouble): Refusal {
  return new Refusal(codes.NOT_A_JSON_OBJECT, { trouble });
}
