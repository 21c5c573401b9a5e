import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A TCP proxy to one port on this machine. Each fault returns the number of connections it affected. */
export interface TcpProxy {
  /** The port it listens on at 127.0.0.1. */
  readonly port: number;
  /** Resets all connections. Data in flight is lost. */
  cut(): number;
  /** Resets all connections and refuses new ones for `durationMs`. */
  refuse(durationMs: number): Promise<number>;
  /** Holds back all data in both directions for `durationMs`, then delivers it. */
  stall(durationMs: number): Promise<number>;
  /** For `durationMs`, forwards requests that contain `text`, then drops their response and the connection. */
  loseResponsesTo(text: string, durationMs: number): Promise<number>;
  close(): void;
}

/** How long a connection stays open after its response is dropped, in ms, so that the rest of the request gets through. */
const lingerMs = 50;

/** Starts a proxy to `targetPort` on 127.0.0.1. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let refusals = 0;
  let stalls = 0;
  /** Totals since the start. A fault returns the increase. */
  const affected = { refused: 0, stalled: 0, lost: 0 };
  let losing: string | undefined;

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (refusals > 0) {
      affected.refused++;
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    join(client, target, true);
    join(target, client, false);
  });

  function join(from: Socket, to: Socket, isRequest: boolean): void {
    sockets.add(from);
    from.setNoDelay(true);
    if (stalls > 0) {
      affected.stalled++;
      from.pause();
    }
    from.on('data', (chunk: Buffer) => {
      to.write(chunk);
      if (!isRequest || losing === undefined || !chunk.includes(losing)) return;
      affected.lost++;
      to.removeAllListeners('data').resume();
      setTimeout(() => {
        from.destroy();
        to.end();
      }, lingerMs);
    });
    from.on('end', () => to.end());
    // Broken connections are expected here. The other side is closed too.
    from.on('error', () => to.destroy());
    from.on('close', (hadError) => {
      sockets.delete(from);
      if (hadError) to.destroy();
    });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');

  const cut = (): number => {
    const affectedNow = sockets.size;
    for (const socket of sockets) socket.resetAndDestroy();
    return affectedNow;
  };
  return {
    port: address.port,
    cut,
    async refuse(durationMs) {
      const before = affected.refused;
      refusals++;
      const cutNow = cut();
      await delay(durationMs);
      refusals--;
      return cutNow + affected.refused - before;
    },
    async stall(durationMs) {
      const before = affected.stalled;
      stalls++;
      affected.stalled += sockets.size;
      for (const socket of sockets) socket.pause();
      await delay(durationMs);
      stalls--;
      if (stalls === 0) for (const socket of sockets) socket.resume();
      return affected.stalled - before;
    },
    async loseResponsesTo(text, durationMs) {
      const before = affected.lost;
      losing = text;
      await delay(durationMs);
      losing = undefined;
      return affected.lost - before;
    },
    close() {
      server.close();
      cut();
    },
  };
}
