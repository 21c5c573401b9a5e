import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far the time of a signed message may be from the receiver's clock, in ms. */
export const signatureWindow = 5 * 60 * 1_000;

/** The headers that sign a message between this service and the payment gateway. */
export interface SignatureHeaders {
  /** Unix time in ms. */
  readonly 'x-pg-timestamp': string;
  /** HMAC-SHA256 in lower-case hex over timestamp, path and body. */
  readonly 'x-pg-signature': string;
}

/**
 * Signs a message to `path`, at `now` in Unix ms.
 * @param secrets one or several, separated by commas: the first signs
 */
export function sign(
  secrets: string,
  path: string,
  body: Uint8Array | string,
  now = Date.now(),
): SignatureHeaders {
  const timestamp = String(now);
  return {
    'x-pg-timestamp': timestamp,
    'x-pg-signature': hmac(secrets.split(',')[0]!, timestamp, path, body).toString('hex'),
  };
}

/**
 * Whether a message is signed with one of the secrets, recently. Compares in constant time.
 * @param secrets one or several, separated by commas, so that a secret can be rotated without downtime
 */
export function isSigned(
  secrets: string,
  path: string,
  body: Uint8Array,
  headers: { readonly timestamp: string | undefined; readonly signature: string | undefined },
  now = Date.now(),
): boolean {
  const { timestamp = '', signature = '' } = headers;
  if (!/^\d{13}$/.test(timestamp) || !/^[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(now - Number(timestamp)) > signatureWindow) return false;
  const given = Buffer.from(signature, 'hex');
  return secrets.split(',').some((secret) => timingSafeEqual(given, hmac(secret, timestamp, path, body)));
}

function hmac(secret: string, timestamp: string, path: string, body: Uint8Array | string): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}\n${path}\n`).update(body).digest();
}
