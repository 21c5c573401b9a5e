import { parseTranTime, timeOfTranToken } from '../wire/tran-time.ts';

/** The headers that sign and date a request or a result notification. */
export interface TransactionHeaders {
  readonly 'X-KM-Correlation-Id': string;
  readonly 'X-KM-Tran-Token': string;
  readonly 'X-KM-Tran-Time': string;
  readonly 'X-KM-Time-Zone': string;
}

/** A secret key that signs and verifies. */
export type SigningKey = Awaited<ReturnType<typeof importSecretKey>>;

/** Imports a project's secret key. */
export async function importSecretKey(secretKey: string) {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return await crypto.subtle.importKey('raw', encode(secretKey), algorithm, false, ['sign', 'verify']);
}

/**
 * Creates the headers that differ for every request.
 * @param body exactly as sent
 * @param time Unix ms
 */
export async function createTransactionHeaders(
  key: SigningKey,
  body: string,
  time: number,
): Promise<TransactionHeaders> {
  const digits = new Date(time).toISOString().replaceAll(/\D/g, '');
  const mac = await crypto.subtle.sign('HMAC', key, encode(body));
  return {
    'X-KM-Correlation-Id': `${digits.slice(2, 14)}-${randomHex(7)}`,
    'X-KM-Tran-Token': `KMV1:${digits}:${btoa(String.fromCharCode(...new Uint8Array(mac)))}`,
    'X-KM-Tran-Time': digits.slice(0, 14),
    'X-KM-Time-Zone': 'UTC',
  };
}

/** Whether a token `KMV1:yyyyMMddHHmmssSSS:mac` matches the body. Compares in constant time. */
export async function isTranTokenOf(
  token: string,
  body: Uint8Array<ArrayBuffer>,
  key: SigningKey,
): Promise<boolean> {
  const mac = Uint8Array.from(atob(token.slice(23)), (character) => character.charCodeAt(0));
  return await crypto.subtle.verify('HMAC', key, mac, body);
}

/** The times of X-KM-Tran-Token and X-KM-Tran-Time in Unix ms; NaN for an invalid one. */
export function readTransactionTimes(headers: TransactionHeaders): number[] {
  const times = [timeOfTranToken(headers['X-KM-Tran-Token']), headers['X-KM-Tran-Time']];
  return times.map((time) => parseTranTime(time, headers['X-KM-Time-Zone']) ?? Number.NaN);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function randomHex(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => (byte % 16).toString(16)).join('');
}
