import { isLosslessNumber, parse, stringify } from 'lossless-json';

/** A member ID: up to 20 digits, more than a JavaScript number can hold. A number must be a safe integer. */
export type UserId = bigint | number | string;

/**
 * Writes a request. `userId` becomes a JSON number with every digit.
 * @throws {RangeError} when `userId` is not a member ID or has lost digits
 */
export function writeJson(request: object): string {
  const hasMember = 'userId' in request && request.userId !== undefined;
  const content = hasMember ? { ...request, userId: toBigInt(request.userId) } : request;
  // `stringify` returns undefined only for values without JSON, never for an object.
  return stringify(content)!;
}

/**
 * Reads an answer: `userId` becomes a string with every digit, other numbers become numbers.
 * @throws {SyntaxError} when the text is not JSON; its message may quote the text
 */
export function readJson(text: string): unknown {
  return parse(text, (key, value) => {
    if (!isLosslessNumber(value)) return value;
    return key === 'userId' ? value.value : Number(value.value);
  });
}

function toBigInt(userId: unknown): bigint {
  if (typeof userId === 'bigint' && userId >= 0n) return userId;
  if (typeof userId === 'number' && Number.isSafeInteger(userId) && userId >= 0) return BigInt(userId);
  if (typeof userId === 'string' && /^(0|[1-9]\d*)$/.test(userId)) return BigInt(userId);
  throw new RangeError(
    'userId must be a bigint, a safe integer or a string of digits without leading zeros.',
  );
}
