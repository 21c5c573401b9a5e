import { createHmac, timingSafeEqual } from 'node:crypto';

/** Milliseconds by which a timestamp may differ from this machine's clock. */
const toleratedSkew = 5 * 60 * 1000;

/**
 * Lower-case hex HMAC-SHA256 of `${timestamp}\n${path}\n${body}`.
 * @param timestamp unix milliseconds, as written in the header
 * @param path URL path, without query
 */
export function sign(secret: string, timestamp: string, path: string, body: string | Uint8Array): string {
  return createHmac('sha256', secret).update(`${timestamp}\n${path}\n`).update(body).digest('hex');
}

/** Whether `signature` is right for the message and `timestamp` is within five minutes of `now`. */
export function isGenuine(
  secret: string,
  message: { timestamp: string; path: string; body: Uint8Array; signature: string },
  now: number,
): boolean {
  if (!/^\d{1,16}$/.test(message.timestamp)) return false;
  if (Math.abs(now - Number(message.timestamp)) > toleratedSkew) return false;
  const expected = Buffer.from(sign(secret, message.timestamp, message.path, message.body));
  const given = Buffer.from(message.signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
