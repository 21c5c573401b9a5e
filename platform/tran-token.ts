import { createHmac, timingSafeEqual } from 'node:crypto';

/** Offsets from UTC in minutes, for the zones that have one all year round. */
const zoneOffsets: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  ICT: 420,
  WIB: 420,
  SGT: 480,
  HKT: 480,
  PHT: 480,
  KST: 540,
  JST: 540,
};

/** Whether X-KM-Time-Zone may name this zone. */
export function isTimeZone(zone: string): boolean {
  return Object.hasOwn(zoneOffsets, zone);
}

/**
 * The time that `yyyyMMddHHmmss` with optional milliseconds says in a zone, in Unix ms; undefined when the text is no
 * time of the calendar.
 */
export function parseTranTime(text: string, zone: string): number | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{3})?$/.exec(text);
  const offset = zoneOffsets[zone];
  if (!parts || offset === undefined) return undefined;
  const [year, month, day, hour, minute, second, millisecond = '0'] = parts.slice(1);
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond.padStart(3, '0')}Z`;
  const time = Date.parse(iso);
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) return undefined;
  return time - offset * 60_000;
}

/** The time part of a transaction token of the form `KMV1:yyyyMMddHHmmssSSS:mac`. */
export function timeOfTranToken(token: string): string {
  return token.slice(5, 22);
}

/** Whether a token's HMAC-SHA256 is that of the body bytes under the secret key. Compares in constant time. */
export function isTranTokenOf(token: string, body: Uint8Array, secretKey: string): boolean {
  const given = Buffer.from(token.slice(23), 'base64');
  const expected = createHmac('sha256', secretKey).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** A time as X-KM-Tran-Time has it, `yyyyMMddHHmmss`, in UTC. */
export function tranTimeOf(now: Date): string {
  return digitsOf(now).slice(0, 14);
}

/** The transaction token for a body sent at `now`, in UTC. */
export function createTranToken(body: string, secretKey: string, now: Date): string {
  return `KMV1:${digitsOf(now)}:${createHmac('sha256', secretKey).update(body).digest('base64')}`;
}

function digitsOf(now: Date): string {
  return now.toISOString().replace(/\D/g, '');
}
