import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Whether a token's HMAC-SHA256 is that of the body bytes under the secret key. Compares in constant time. */
export function isTranTokenOf(token: string, body: Uint8Array, secretKey: string): boolean {
  const given = Buffer.from(token.slice(23), 'base64');
  const expected = createHmac('sha256', secretKey).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The value of X-KM-Tran-Time: `yyyyMMddHHmmss` in UTC. */
export function tranTimeOf(now: Date): string {
  return digitsOf(now).slice(0, 14);
}

/** A correlation ID: `yyMMddHHmmss` in UTC, a hyphen, seven random hexadecimal characters. */
export function createCorrelationId(now: Date): string {
  return `${tranTimeOf(now).slice(2)}-${randomBytes(4).toString('hex').slice(0, 7)}`;
}

/** The transaction token for a body sent at `now`, in UTC. */
export function createTranToken(body: string, secretKey: string, now: Date): string {
  return `KMV1:${digitsOf(now)}:${createHmac('sha256', secretKey).update(body).digest('base64')}`;
}

function digitsOf(now: Date): string {
  return now.toISOString().replace(/\D/g, '');
}
