import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallbackConduct } from './plan.ts';

/** The way of the payment gateway's callbacks to the API. */
export interface CallbackPath {
  readonly port: number;
  /** How many callbacks met which conduct. */
  readonly counts: ReadonlyMap<CallbackConduct['kind'], number>;
  /** From now on every callback passes, those held back at once. */
  calm(): void;
  close(): void;
}

/** How long a callback waits for the one that is to overtake it, in ms. */
const longestHold = 3_000;

/**
 * Starts a way on which callbacks are dropped, delayed, delivered twice or in another order, or lose their answers,
 * as the conducts say in turn. It passes on bytes and headers as they are, so signatures stay whole.
 */
export async function startCallbackPath(
  apiPort: number,
  conducts: readonly CallbackConduct[],
): Promise<CallbackPath> {
  const counts = new Map<CallbackConduct['kind'], number>();
  const calmed = new AbortController();
  let arrivals = 0;
  let overtaken: (() => void) | undefined;

  const server = createServer((request, response) => {
    const conduct = calmed.signal.aborted
      ? { kind: 'PASS' as const }
      : conducts[arrivals++ % conducts.length]!;
    counts.set(conduct.kind, (counts.get(conduct.kind) ?? 0) + 1);
    handle(request, response, conduct).catch(() => response.destroy());
  });

  async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    conduct: CallbackConduct,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const pass = (): Promise<number> => forward(request, Buffer.concat(chunks));
    if (conduct.kind === 'DROP') return void response.destroy();
    if (conduct.kind === 'DELAY') await pause(conduct.by);
    if (conduct.kind === 'REORDER') await untilOvertaken();
    const status = await pass();
    if (conduct.kind !== 'REORDER') overtaken?.();
    if (conduct.kind === 'LOSE_ANSWER') return void response.destroy();
    response.writeHead(status).end();
    if (conduct.kind !== 'DUPLICATE') return;
    await pause(conduct.by);
    await pass().catch(() => undefined);
  }

  async function forward({ url = '/', headers }: IncomingMessage, body: Buffer): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${apiPort}${url}`, {
      method: 'POST',
      headers: Object.fromEntries(
        ['content-type', 'x-pg-timestamp', 'x-pg-signature'].map((name) => [name, String(headers[name])]),
      ),
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(10_000),
    });
    await answer.body?.cancel();
    return answer.status;
  }

  async function untilOvertaken(): Promise<void> {
    overtaken?.();
    await Promise.race([pause(longestHold), new Promise<void>((resolve) => (overtaken = resolve))]);
  }

  function pause(lasts: number): Promise<void> {
    return delay(lasts, undefined, { signal: calmed.signal }).catch(() => undefined);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    calm: () => calmed.abort(),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
