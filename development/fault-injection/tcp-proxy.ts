import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A proxy of TCP connections to one port of this machine. What it does wrong tells how many connections it struck. */
export interface TcpProxy {
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
  /** Cuts all connections; what is under way is lost. */
  cut(): number;
  /** Cuts all connections and takes none for so many ms. */
  refuse(lasts: number): Promise<number>;
  /** Holds everything back for so many ms, in both directions; then it arrives after all. */
  stall(lasts: number): Promise<number>;
  /** For so many ms, passes on what contains `text` and then loses the answer and the connection. */
  loseAnswersTo(text: string, lasts: number): Promise<number>;
  close(): void;
}

/** How long a connection whose answer is to be lost stays open, in ms, for what follows the text. */
const lingering = 50;

/** Starts a proxy to `targetPort` on 127.0.0.1. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let refusals = 0;
  let stalls = 0;
  /** Since the proxy was started; a fault tells by how much they grew. */
  const struck = { refused: 0, stalled: 0, lost: 0 };
  let losing: string | undefined;

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (refusals > 0) {
      struck.refused++;
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
      struck.stalled++;
      from.pause();
    }
    from.on('data', (chunk: Buffer) => {
      to.write(chunk);
      if (!isRequest || losing === undefined || !chunk.includes(losing)) return;
      struck.lost++;
      to.removeAllListeners('data').resume();
      setTimeout(() => {
        from.destroy();
        to.end();
      }, lingering);
    });
    from.on('end', () => to.end());
    // A broken connection is an everyday event here; its other half follows.
    from.on('error', () => to.destroy());
    from.on('close', (hadError) => {
      sockets.delete(from);
      if (hadError) to.destroy();
    });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');

  const cut = (): number => {
    const struckNow = sockets.size;
    for (const socket of sockets) socket.resetAndDestroy();
    return struckNow;
  };
  return {
    port: address.port,
    cut,
    async refuse(lasts) {
      const before = struck.refused;
      refusals++;
      const cutNow = cut();
      await delay(lasts);
      refusals--;
      return cutNow + struck.refused - before;
    },
    async stall(lasts) {
      const before = struck.stalled;
      stalls++;
      struck.stalled += sockets.size;
      for (const socket of sockets) socket.pause();
      await delay(lasts);
      stalls--;
      if (stalls === 0) for (const socket of sockets) socket.resume();
      return struck.stalled - before;
    },
    async loseAnswersTo(text, lasts) {
      const before = struck.lost;
      losing = text;
      await delay(lasts);
      losing = undefined;
      return struck.lost - before;
    },
    close() {
      server.close();
      cut();
    },
  };
}
