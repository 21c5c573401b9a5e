import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallbackBehaviour } from './plan.ts';

/** An HTTP proxy for the payment gateway's callbacks to the API. */
export interface CallbackProxy {
  readonly port: number;
  /** The number of callbacks by behaviour. */
  readonly counts: ReadonlyMap<CallbackBehaviour['kind'], number>;
  /** Passes every further callback, and those held back immediately. */
  disableFaults(): void;
  close(): void;
}

/** How long a callback is held back so that the next one overtakes it, in ms. */
const maxHoldMs = 3_000;

/**
 * Starts a proxy that drops, delays, duplicates or reorders callbacks, or loses their responses, as the behaviours say in
 * turn. It forwards body and headers unchanged, so signatures stay valid.
 */
export async function startCallbackProxy(
  apiPort: number,
  behaviours: readonly CallbackBehaviour[],
): Promise<CallbackProxy> {
  const counts = new Map<CallbackBehaviour['kind'], number>();
  const disabled = new AbortController();
  let arrivals = 0;
  let overtaken: (() => void) | undefined;

  const server = createServer((request, response) => {
    const behaviour = disabled.signal.aborted
      ? { kind: 'PASS' as const }
      : behaviours[arrivals++ % behaviours.length]!;
    counts.set(behaviour.kind, (counts.get(behaviour.kind) ?? 0) + 1);
    handle(request, response, behaviour).catch(() => response.destroy());
  });

  async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    behaviour: CallbackBehaviour,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const pass = (): Promise<number> => forward(request, Buffer.concat(chunks));
    if (behaviour.kind === 'DROP') return void response.destroy();
    if (behaviour.kind === 'DELAY') await pause(behaviour.delayMs);
    if (behaviour.kind === 'REORDER') await waitUntilOvertaken();
    const status = await pass();
    if (behaviour.kind !== 'REORDER') overtaken?.();
    if (behaviour.kind === 'LOSE_ANSWER') return void response.destroy();
    response.writeHead(status).end();
    if (behaviour.kind !== 'DUPLICATE') return;
    await pause(behaviour.delayMs);
    await pass().catch(() => undefined);
  }

  async function forward({ url = '/', headers }: IncomingMessage, body: Buffer): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${apiPort}${url}`, {
      method: 'POST',
      headers: Object.fromEntries(
        ['content-type', 'x-pg-timestamp', 'x-pg-signature'].map((name) => [name, String(headers[name])]),
      ),
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(10_000),
    });
    await response.body?.cancel();
    return response.status;
  }

  async function waitUntilOvertaken(): Promise<void> {
    overtaken?.();
    await Promise.race([pause(maxHoldMs), new Promise<void>((resolve) => (overtaken = resolve))]);
  }

  function pause(durationMs: number): Promise<void> {
    return delay(durationMs, undefined, { signal: disabled.signal }).catch(() => undefined);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    disableFaults: () => disabled.abort(),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
