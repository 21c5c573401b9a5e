import { LosslessNumber, stringify } from 'lossless-json';
import type { z } from 'zod';
import type { Project } from '../database/projects.ts';
import { encryptMessage } from '../encryption/message-encryption.ts';
import { createCorrelationId, createTranToken, tranTimeOf } from '../encryption/tran-token.ts';
import type { resultNotificationSchema } from '../wire/result-notification.ts';

/** What a notification says. */
export type NotificationContent = z.output<typeof resultNotificationSchema>;

/** A signed and encrypted request to a notification URL. */
export interface NotificationMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** When a notification is sent, and for which request. */
interface NotificationOccasion {
  readonly now: Date;
  /** Of the request that began the registration. Default: a new one. */
  readonly correlationId?: string | null;
}

/**
 * Signs and encrypts a notification in the platform's format.
 * @returns undefined when the project has no active key to sign or encrypt with
 */
export async function createNotificationMessage(
  project: Project,
  content: NotificationContent,
  { now, correlationId }: NotificationOccasion,
): Promise<NotificationMessage | undefined> {
  // The platform's documents use the first issued key for notifications.
  const cryptoKey = project.cryptoKeys.find(({ state }) => state === 'ACTIVE');
  const secretKey = project.secretKeys.find(({ state }) => state === 'ACTIVE');
  if (!cryptoKey || !secretKey) return undefined;
  const text = stringify({ ...content, userId: new LosslessNumber(content.userId) }) ?? '';
  const encData = await encryptMessage(Buffer.from(text), cryptoKey.clientPublicKey);
  const body = JSON.stringify({ encData });
  const headers = {
    'Content-Type': 'application/json',
    'X-KM-User-AspId': project.aspId,
    'X-KM-Correlation-Id': correlationId ?? createCorrelationId(now),
    'X-KM-Crypto-Key-Id': cryptoKey.cryptoKeyId,
    'X-KM-Tran-Token': createTranToken(body, secretKey.secret, now),
    'X-KM-Tran-Time': tranTimeOf(now),
    'X-KM-Time-Zone': 'UTC',
  };
  return { headers, body };
}
