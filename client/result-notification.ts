import { z } from 'zod';
import { requestHeadersSchema } from '../wire/headers.ts';
import { resultNotificationSchema } from '../wire/result-notification.ts';
import { InvalidNotificationError } from './errors.ts';
import { readJson } from './json.ts';
import { createDecrypt } from './message-encryption.ts';
import { importSecretKey, isTranTokenOf, readTransactionTimes } from './tran-token.ts';

/** A request to the service provider's notification URL, and the keys that verify it. */
export interface ReceivedNotification {
  /** `Headers`, or an object with names in any case, such as `request.headers` of Node's HTTP server. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The raw bytes, before any JSON parser. */
  readonly body: Uint8Array | string;
  readonly secretKey: string;
  /** The private key of the first crypto key issued. RSA-2048, PKCS#8 PEM. */
  readonly clientPrivateKey: string;
  /** The current time in Unix ms. Default: Date.now(). */
  readonly now?: number | undefined;
}

/** The result of a registration. Later versions may have more fields. */
export type ResultNotification = z.output<typeof notificationSchema>;

/** The maximum difference between a notification's times and the clock, in ms. */
const maxTimeDifference = 10 * 60_000;

const headersSchema = requestHeadersSchema.omit({ 'X-KM-Access-Key': true });

const encryptedSchema = z.object({ encData: z.string() });

const notificationSchema = resultNotificationSchema.loose();

/**
 * Verifies and decrypts a result notification. The token covers the body but not the times, so a notification can be
 * replayed: keep the highest `sequence` of each `bankAccRegNo`; acknowledge and ignore any other.
 * @throws {InvalidNotificationError} when it is forged, more than ten minutes from the clock, or unreadable
 */
export async function verifyNotification({
  headers,
  body,
  secretKey,
  clientPrivateKey,
  now = Date.now(),
}: ReceivedNotification): Promise<ResultNotification> {
  const given = headersSchema.safeParse(pickHeaders(headers));
  if (!given.success) {
    const name = given.error.issues[0]?.path.join('.');
    throw new InvalidNotificationError({
      code: 'NOTIFICATION_HEADERS',
      text: `${name} is missing or malformed.`,
    });
  }
  const correlationId = given.data['X-KM-Correlation-Id'];
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
  if (!(await isTranTokenOf(given.data['X-KM-Tran-Token'], bytes, await importSecretKey(secretKey)))) {
    const text = 'The transaction token does not match the body.';
    throw new InvalidNotificationError({ code: 'NOTIFICATION_SIGNATURE', text, correlationId });
  }
  if (!readTransactionTimes(given.data).every((time) => Math.abs(now - time) <= maxTimeDifference)) {
    const text = 'The time is too far from the clock.';
    throw new InvalidNotificationError({ code: 'NOTIFICATION_TIME', text, correlationId });
  }
  const content = notificationSchema.safeParse(await readBody(bytes, clientPrivateKey));
  if (content.success) return content.data;
  const text = 'The body cannot be decrypted, or its content is not a notification.';
  throw new InvalidNotificationError({ code: 'NOTIFICATION_CONTENT', text, correlationId });
}

function pickHeaders(headers: ReceivedNotification['headers']): Record<string, unknown> {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
  const byName = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
  return Object.fromEntries(
    Object.keys(headersSchema.shape).map((name) => [name, byName.get(name.toLowerCase())]),
  );
}

/** The content of a body, or undefined. The cause is dropped: its message may quote the content. */
async function readBody(body: Uint8Array, clientPrivateKey: string): Promise<unknown> {
  try {
    const { encData } = encryptedSchema.parse(readJson(new TextDecoder().decode(body)));
    return readJson(await createDecrypt(clientPrivateKey)(encData));
  } catch {
    return undefined;
  }
}
