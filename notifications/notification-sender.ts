import { lookup } from 'node:dns';
import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { Agent, request } from 'undici';
import { errorCode } from '../runtime/error-code.ts';
import { isAcknowledgement } from '../wire/result-notification.ts';
import type { NotificationMessage } from './notification-message.ts';
import { findUrlObstacle, isAllowedAddress } from './notification-url.ts';
import type { AllowedReceivers } from './notification-url.ts';

/** How much of an acknowledgement is read, in bytes. */
const maxAcknowledgementBytes = 16 * 1024;
/** How long a receiver may take to answer, in ms. */
const receiverDeadline = 10_000;
/** The longest wait a receiver may ask for, in ms: a day. */
const maxRetryAfter = 24 * 60 * 60 * 1_000;

type Resolved = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** What a receiver answered, or why none did. `retryAfter` is in ms, 0 if it asks for nothing. */
export type NotificationAnswer =
  | { readonly reached: true; readonly status: number; readonly body: string; readonly retryAfter: number }
  | { readonly reached: false; readonly reason: string };

/** Sends notifications to service providers' URLs. */
export interface NotificationSender {
  /** Posts a message once. Never throws: an unreachable receiver is an answer too. */
  send(url: string, message: NotificationMessage): Promise<NotificationAnswer>;
  close(): Promise<void>;
}

/** Where notifications may go. */
export interface NotificationSenderOptions extends AllowedReceivers {
  /** Looks up the addresses of a name. Default: DNS. */
  readonly resolve?: (hostname: string, options: LookupAllOptions, callback: Resolved) => void;
}

/**
 * Creates the sender. A notification URL is untrusted input, so it must not lead into our own network: only public
 * addresses are connected to, the address is checked as the name resolves for the connection, and redirects are not
 * followed.
 */
export function createNotificationSender({
  resolve = lookup,
  ...receivers
}: NotificationSenderOptions): NotificationSender {
  const agent = new Agent({
    connect: {
      lookup: (hostname, options, callback) => {
        resolve(hostname, { ...options, all: true }, (error, addresses) => {
          const allowed = error
            ? []
            : addresses.filter(({ address }) => isAllowedAddress(address, receivers));
          const [first] = allowed;
          if (!first) return callback(error ?? new NotPublicError(), '', 4);
          if (options.all) return (callback as Resolved)(null, allowed);
          callback(null, first.address, first.family);
        });
      },
    },
    headersTimeout: receiverDeadline,
    bodyTimeout: receiverDeadline,
    keepAliveTimeout: 1_000,
  });

  return {
    async send(url, { headers, body }) {
      // An IP address in the URL is never looked up, so it is checked here.
      const obstacle = findUrlObstacle(url, receivers);
      if (obstacle) return { reached: false, reason: obstacle };
      try {
        const signal = AbortSignal.timeout(receiverDeadline);
        const answer = await request(url, { method: 'POST', headers, body, dispatcher: agent, signal });
        return {
          reached: true,
          status: answer.statusCode,
          body: await readStart(answer.body),
          retryAfter: parseRetryAfter(answer.headers['retry-after']),
        };
      } catch (error) {
        return unreached(error);
      }
    },
    close: () => agent.close(),
  };
}

/** Whether the receiver has acknowledged the notification. */
export function isAcknowledged(answer: NotificationAnswer): boolean {
  return answer.reached && isAcknowledgement(answer);
}

/** The receiver's name leads into a network that is not public. */
class NotPublicError extends Error {
  readonly code = 'no public address';
}

/** The reason is a code such as ECONNREFUSED, or an error's name: it repeats neither address nor content. */
function unreached(error: unknown): NotificationAnswer {
  return { reached: false, reason: errorCode(error) ?? (error instanceof Error ? error.name : 'unknown') };
}

async function readStart(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxAcknowledgementBytes) break;
  }
  // Drops a byte-order mark, which some frameworks write.
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** In ms, from seconds or an HTTP date (RFC 9110); at most a day. */
function parseRetryAfter(header: string | string[] | undefined): number {
  if (typeof header !== 'string') return 0;
  const wait = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), maxRetryAfter);
}
