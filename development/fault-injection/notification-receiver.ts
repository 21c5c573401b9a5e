import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { notificationAcknowledgement, verifyNotification } from '../../client/index.ts';
import type { ResultNotification } from '../../client/index.ts';
import type { ReceiverBehaviour } from './plan.ts';

/** The service provider's receiver of result notifications. */
export interface NotificationReceiver {
  readonly port: number;
  /** All accepted notifications, including repetitions, in order of arrival. */
  readonly received: readonly ResultNotification[];
  /** Errors of requests that were no valid notification. */
  readonly invalid: readonly string[];
  /** The number of deliveries by behaviour. */
  readonly counts: ReadonlyMap<ReceiverBehaviour['kind'], number>;
  /** Accepts and acknowledges every further delivery. */
  disableFaults(): void;
  close(): void;
}

/** Starts a receiver that applies the behaviours in turn. */
export async function startNotificationReceiver(
  keys: { readonly secretKey: string; readonly clientPrivateKey: string },
  behaviours: readonly ReceiverBehaviour[],
): Promise<NotificationReceiver> {
  const received: ResultNotification[] = [];
  const invalid: string[] = [];
  const counts = new Map<ReceiverBehaviour['kind'], number>();
  let isDisabled = false;
  let arrivals = 0;

  const server = createServer((request, response) => {
    const behaviour = isDisabled ? { kind: 'TAKE' as const } : behaviours[arrivals++ % behaviours.length]!;
    counts.set(behaviour.kind, (counts.get(behaviour.kind) ?? 0) + 1);
    handle(request, response, behaviour).catch((error: unknown) => {
      // An interrupted request is not an invalid notification.
      if (request.complete) invalid.push(String(error));
      response.destroy();
    });
  });

  async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    behaviour: ReceiverBehaviour,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (behaviour.kind === 'FAIL') return void response.writeHead(503).end();
    if (behaviour.kind === 'ASK_TO_WAIT') return void response.writeHead(503, { 'Retry-After': '2' }).end();
    received.push(
      await verifyNotification({ headers: request.headers, body: Buffer.concat(chunks), ...keys }),
    );
    if (behaviour.kind === 'TAKE_BUT_LOSE_ANSWER') return void response.destroy();
    if (behaviour.kind === 'TAKE_LATE') await delay(behaviour.delayMs);
    response.writeHead(200).end(JSON.stringify(notificationAcknowledgement));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received,
    invalid,
    counts,
    disableFaults() {
      isDisabled = true;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
