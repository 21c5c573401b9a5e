import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { notificationAcknowledgement, verifyNotification } from '../../client/index.ts';
import type { ResultNotification } from '../../client/index.ts';
import type { ReceiverConduct } from './plan.ts';

/** The service provider's end of result notifications. */
export interface NotificationReceiver {
  readonly port: number;
  /** Everything that was taken, repetitions included, in the order it came. */
  readonly received: readonly ResultNotification[];
  /** Why something was no notification of the service. */
  readonly invalid: readonly string[];
  /** How many deliveries met which conduct. */
  readonly counts: ReadonlyMap<ReceiverConduct['kind'], number>;
  /** From now on everything is taken and acknowledged. */
  calm(): void;
  close(): void;
}

/** Starts a receiver that behaves as the conducts say in turn. */
export async function startNotificationReceiver(
  keys: { readonly secretKey: string; readonly clientPrivateKey: string },
  conducts: readonly ReceiverConduct[],
): Promise<NotificationReceiver> {
  const received: ResultNotification[] = [];
  const invalid: string[] = [];
  const counts = new Map<ReceiverConduct['kind'], number>();
  let isCalm = false;
  let arrivals = 0;

  const server = createServer((request, response) => {
    const conduct = isCalm ? { kind: 'TAKE' as const } : conducts[arrivals++ % conducts.length]!;
    counts.set(conduct.kind, (counts.get(conduct.kind) ?? 0) + 1);
    handle(request, response, conduct).catch((error: unknown) => {
      // What was cut off on the way is no notification yet.
      if (request.complete) invalid.push(String(error));
      response.destroy();
    });
  });

  async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    conduct: ReceiverConduct,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (conduct.kind === 'FAIL') return void response.writeHead(503).end();
    if (conduct.kind === 'ASK_TO_WAIT') return void response.writeHead(503, { 'Retry-After': '2' }).end();
    received.push(
      await verifyNotification({ headers: request.headers, body: Buffer.concat(chunks), ...keys }),
    );
    if (conduct.kind === 'TAKE_BUT_LOSE_ANSWER') return void response.destroy();
    if (conduct.kind === 'TAKE_LATE') await delay(conduct.by);
    response.writeHead(200).end(JSON.stringify(notificationAcknowledgement));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received,
    invalid,
    counts,
    calm() {
      isCalm = true;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
