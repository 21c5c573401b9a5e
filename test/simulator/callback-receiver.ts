import { createServer } from 'node:http';
import type { Server } from 'node:net';

/** One delivery attempt of a callback. */
export interface Delivery {
  at: number;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  rawBody: string;
}

/** An HTTP server that receives callbacks. */
export interface Receiver {
  /** The callback URL for a path. */
  url(path: string): string;
  /** Deliveries received at the path so far. */
  deliveries(path: string): Delivery[];
  /** Responds to the next `times` deliveries with `status` instead of 200. */
  failNext(status: number, times: number): void;
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Delivery[] = [];
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    let rawBody = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (rawBody += chunk));
    request.on('end', () => {
      received.push({ at: Date.now(), path: request.url ?? '', headers: request.headers, rawBody });
      response.writeHead(statuses.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: (path) => `http://127.0.0.1:${portOf(server)}${path}`,
    deliveries: (path) => received.filter((delivery) => delivery.path === path),
    failNext: (status, times) => void statuses.push(...Array.from({ length: times }, () => status)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The port a server listens on. */
export function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('The server does not listen');
  return address.port;
}
