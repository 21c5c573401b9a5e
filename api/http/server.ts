import { STATUS_CODES, createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { RequestError, getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { codes, resultCodes } from '../../wire/result-codes.ts';
import type { ResultCode } from '../../wire/result-codes.ts';
import type { Api } from '../context.ts';
import { errorBody } from './errors.ts';
import { Refusal } from './refusal.ts';

/** What a server serves. */
export type ServedApp = Pick<Hono<Api>, 'fetch'>;

/** A listening server. */
export interface ListeningServer {
  readonly port: number;
  /** Closes the port and waits until the current requests have ended, for `drain` ms at most. */
  close(): Promise<void>;
}

/** Connection limits. Times in ms. */
export interface ConnectionLimits {
  /** How long the headers of a request may take to arrive. */
  readonly headersTimeout: number;
  /** How long the whole request may take to arrive. */
  readonly requestTimeout: number;
  /** How long a connection may be idle during a request, for example because the client does not read the response. */
  readonly idle: number;
  /** How long a connection stays open between two requests. Longer than the idle time of a load balancer in front. */
  readonly keepAlive: number;
  /** Maximum number of connections. Further ones are closed immediately. */
  readonly connections: number;
  /** Maximum number of responses that a connection has not read. A client that sends more requests is disconnected. */
  readonly pipelined: number;
  /** How long the current requests may continue when the server closes. */
  readonly drain: number;
}

/** The limits of every connection, unless others are given. */
export const connectionLimits: ConnectionLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  idle: 60_000,
  keepAlive: 75_000,
  connections: 5_000,
  pipelined: 20,
  drain: 10_000,
};

/** How often slow clients are checked for, in ms. */
const checkInterval = 1_000;

/**
 * Starts the server. Throws when the port is taken.
 * @param listen `port`: 0 for any free port; `limits`: override the defaults; `stopping`: once it is aborted, responses tell
 * clients to close their connections, and the port stays open until `close`
 *
 * @example
 * ```ts
 * const server = await listen(createApp(parts), { port: 3000, host: '0.0.0.0' });
 * await server.close();
 * ```
 */
export async function listen(
  app: ServedApp,
  {
    port,
    host,
    limits = {},
    stopping,
  }: { port: number; host: string; limits?: Partial<ConnectionLimits>; stopping?: AbortSignal | undefined },
): Promise<ListeningServer> {
  const { idle, keepAlive, connections, pipelined, drain, headersTimeout, requestTimeout } = {
    ...connectionLimits,
    ...limits,
  };
  let isClosing = false;
  const current = new Set<Promise<void>>();
  const respond = createListener(app, host, () => isClosing || stopping?.aborted === true);
  const countUnread = createUnreadCounter();
  const server = createServer(
    {
      headersTimeout,
      requestTimeout,
      keepAliveTimeout: keepAlive,
      connectionsCheckingInterval: checkInterval,
      maxHeaderSize: 16 * 1024,
      // Otherwise Node itself refuses a request without Host, with an empty body.
      requireHostHeader: false,
    },
    (incoming, outgoing) => {
      if (countUnread(incoming.socket, outgoing) > pipelined) {
        incoming.socket.destroy();
        return;
      }
      const request = Promise.resolve(respond(incoming, outgoing)).finally(() => current.delete(request));
      current.add(request);
    },
  );
  server.setTimeout(idle);
  server.maxConnections = connections;
  refuseClientErrors(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: async () => {
      isClosing = true;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const drained = closed.then(() => Promise.all(current));
      await Promise.race([drained, delay(drain, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

function createListener(app: ServedApp, hostname: string, isStopping: () => boolean) {
  return getRequestListener(
    async (request, bindings) => {
      const { httpVersion, rawHeaders } = bindings.incoming;
      const hosts = countHosts(rawHeaders);
      if (hosts > 1 || (httpVersion === '1.1' && hosts === 0)) {
        return errorResponse(codes.MALFORMED_HTTP, pathOf(bindings.incoming));
      }
      const response = await app.fetch(request, bindings);
      if (isStopping()) response.headers.set('Connection', 'close');
      return response;
    },
    {
      hostname,
      errorHandler: (error) =>
        errorResponse(error instanceof RequestError ? codes.MALFORMED_HTTP : codes.INTERNAL_ERROR),
    },
  );
}

/** Node itself takes the first of several. Names and values alternate. */
function countHosts(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host').length;
}

/** Counts the responses that each connection has not read to their end. */
function createUnreadCounter() {
  const unread = new WeakMap<Socket, number>();
  return (socket: Socket, response: ServerResponse): number => {
    const count = (unread.get(socket) ?? 0) + 1;
    unread.set(socket, count);
    response.once('close', () => unread.set(socket, unread.get(socket)! - 1));
    return count;
  };
}

/** The result codes of Node's errors; `000_913` for all others. */
const clientErrorCodes: Readonly<Record<string, ResultCode>> = {
  HPE_HEADER_OVERFLOW: codes.REQUEST_TOO_LARGE,
  ERR_HTTP_REQUEST_TIMEOUT: codes.REQUEST_TIMEOUT,
};

/** Refuses what never becomes a complete request: malformed, too large, too slow or with an unknown expectation. */
function refuseClientErrors(server: Server): void {
  const latest = new WeakMap<Socket, IncomingMessage>();
  server.on('request', (request) => latest.set(request.socket, request));
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    // The path is known if the headers had arrived.
    const request = latest.get(socket);
    const path = request?.complete === false ? pathOf(request) : undefined;
    refuseConnection(socket, clientErrorCodes[error.code ?? ''] ?? codes.MALFORMED_HTTP, path);
  });
  // Otherwise Node itself refuses an unknown expectation, with an empty body.
  server.on('checkExpectation', (request) => {
    refuseConnection(request.socket, codes.MALFORMED_HTTP, pathOf(request));
  });
}

function errorResponse(code: ResultCode, path?: string): Response {
  return Response.json(errorBody(new Refusal(code), path), { status: resultCodes[code].status });
}

/** Refuses a request that never reached the app, and closes its connection. */
function refuseConnection(socket: Socket, code: ResultCode, path: string | undefined): void {
  if (!socket.writable) return;
  const { status } = resultCodes[code];
  const body = JSON.stringify(errorBody(new Refusal(code), path));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function pathOf({ url = '' }: { readonly url?: string | undefined }): string {
  return url.split('?', 1)[0]!;
}
