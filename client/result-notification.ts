import { z } from 'zod';
import { requestHeadersSchema } from '../wire/headers.ts';
import { registrationStatuses } from '../wire/registration-status.ts';
import { InvalidNotificationError } from './errors.ts';
import { readJson } from './json.ts';
import { createDecrypt } from './message-encryption.ts';
import { importSecretKey, isTranTokenOf, readTransactionTimes } from './tran-token.ts';
import { codes } from '../wire/result-codes.ts';

/** What a provider answers to a notification, with HTTP 200, once it has kept it. */
export const notificationAcknowledgement = {
  response: { code: codes.SUCCESS, description: 'Success.' },
} as const;

/** A request to the provider's notification URL, and what proves it. */
export interface ReceivedNotification {
  /** As `Headers`, or by name in any case, as Node's HTTP server has them. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The bytes as they came, before any JSON parser. */
  readonly body: Uint8Array | string;
  readonly secretKey: string;
  /** The private key of the first crypto key issued. RSA-2048, PKCS#8 PEM. */
  readonly clientPrivateKey: string;
  /** Unix ms. Default: the clock. */
  readonly now?: number | undefined;
}

/** A registration's end, as the service tells it. Later versions may say more. */
export type ResultNotification = z.output<typeof callbackSchema>;

/** How far a notification's times may lie from the clock, in ms. */
const tolerance = 10 * 60_000;

const headersSchema = requestHeadersSchema.omit({ 'X-KM-Access-Key': true });

const encryptedSchema = z.object({ encData: z.string() });

const callbackSchema = z.looseObject({
  bankAccRegNo: z.string(),
  userId: z.string().regex(/^\d+$/),
  status: z.enum(registrationStatuses),
  response: z.object({ code: z.string(), description: z.string() }),
  /** How the last ARS call ended, where the ARS authentication failed; also why no further call was placed. */
  arsOutcome: z.string().optional(),
  /** Higher than that of any earlier notification of the registration. */
  sequence: z.int(),
  occurredAt: z.string(),
});

/**
 * Proves that a notification is the service's, and opens it. The token covers the body but not the times, so whoever has
 * seen a notification can send it again: keep the highest `sequence` of each `bankAccRegNo`, and acknowledge but ignore
 * what is not above it.
 * @throws {InvalidNotificationError} when it is not the service's, not of these ten minutes, or cannot be opened
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
      text: `${name} is absent or of the wrong form.`,
    });
  }
  const correlationId = given.data['X-KM-Correlation-Id'];
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
  if (!(await isTranTokenOf(given.data['X-KM-Tran-Token'], bytes, await importSecretKey(secretKey)))) {
    const text = 'The transaction token is not that of the body.';
    throw new InvalidNotificationError({ code: 'NOTIFICATION_SIGNATURE', text, correlationId });
  }
  if (!readTransactionTimes(given.data).every((time) => Math.abs(now - time) <= tolerance)) {
    const text = 'The time is too far from the clock.';
    throw new InvalidNotificationError({ code: 'NOTIFICATION_TIME', text, correlationId });
  }
  const content = callbackSchema.safeParse(await open(bytes, clientPrivateKey));
  if (content.success) return content.data;
  const text = 'The body cannot be decrypted, or its content is no notification.';
  throw new InvalidNotificationError({ code: 'NOTIFICATION_CONTENT', text, correlationId });
}

function pickHeaders(headers: ReceivedNotification['headers']): Record<string, unknown> {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
  const byName = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
  return Object.fromEntries(
    Object.keys(headersSchema.shape).map((name) => [name, byName.get(name.toLowerCase())]),
  );
}

/** The content of a body; undefined when it cannot be read. Why not is not told: it could quote the content. */
async function open(body: Uint8Array, clientPrivateKey: string): Promise<unknown> {
  try {
    const { encData } = encryptedSchema.parse(readJson(new TextDecoder().decode(body)));
    return readJson(await createDecrypt(clientPrivateKey)(encData));
  } catch {
    return undefined;
  }
}
