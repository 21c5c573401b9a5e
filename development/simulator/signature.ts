import { createHmac, timingSafeEqual } from 'node:crypto';

/** How much a timestamp may differ from this machine's clock, in ms. */
const maxClockSkewMs = 5 * 60 * 1000;

/**
 * Lower-case hex HMAC-SHA256 of `${timestamp}\n${path}\n${body}`.
 * @param secrets one or several, separated by commas; the first one signs
 * @param timestamp Unix ms, as written in the header
 * @param path URL path, without query
 */
export function signatureOf(
  secrets: string,
  timestamp: string,
  path: string,
  body: string | Uint8Array,
): string {
  const [secret] = secrets.split(',') as [string];
  return createHmac('sha256', secret).update(`${timestamp}\n${path}\n`).update(body).digest('hex');
}

/** Whether one of the secrets made `signature` for the message and `timestamp` is within five minutes of `now`. */
export function isValidSignature(
  secrets: string,
  message: { timestamp: string; path: string; body: Uint8Array; signature: string },
  now: number,
): boolean {
  if (!/^\d{1,16}$/.test(message.timestamp)) return false;
  if (Math.abs(now - Number(message.timestamp)) > maxClockSkewMs) return false;
  const given = Buffer.from(message.signature);
  return secrets.split(',').some((secret) => {
    const expected = Buffer.from(signatureOf(secret, message.timestamp, message.path, message.body));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
