import { STATUS_CODES, createServer } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { RequestError, getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { codes, resultCodes } from '../../wire/result-codes.ts';
import type { ResultCode } from '../../wire/result-codes.ts';
import type { Api } from '../context.ts';

/** A listening server. */
export interface ListeningServer {
  readonly port: number;
  /** Takes no new requests, lets those under way end, also where the client has gone, and cuts off what takes too long. */
  close(): Promise<void>;
}

/** What the server puts up with. Times in ms. */
export interface ConnectionLimits {
  /** Until the headers of a request must be there. */
  readonly headersTimeout: number;
  /** Until the whole request must be there. */
  readonly requestTimeout: number;
  /** How long a connection may stand still while something is under way, such as an answer that nobody reads. */
  readonly silence: number;
  /** Connections at a time; further ones are closed as they come. */
  readonly connections: number;
  /** Requests of one connection whose answers have not all been read; a client that sends more is cut off. */
  readonly pipelined: number;
  /** How long what is under way may go on when the server closes. */
  readonly drain: number;
}

const defaultLimits: ConnectionLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  silence: 60_000,
  connections: 5_000,
  pipelined: 20,
  drain: 10_000,
};

/** How often it is looked for clients that are too slow, in ms. */
const checkInterval = 1_000;

/**
 * Listens. Throws when the port is taken.
 * @param listen `port` 0 takes any free port; `limits` differ from the usual ones in tests.
 */
export async function listen(
  app: Hono<Api>,
  { port, host, limits = {} }: { port: number; host: string; limits?: Partial<ConnectionLimits> },
): Promise<ListeningServer> {
  const allLimits = { ...defaultLimits, ...limits };
  const { silence, connections, pipelined, drain, headersTimeout, requestTimeout } = allLimits;
  let draining = false;
  const underWay = new Set<Promise<void>>();
  const unreadAnswers = new WeakMap<Socket, number>();
  const answer = getRequestListener(
    async (request, bindings) => {
      const { httpVersion, headers } = bindings.incoming;
      if (httpVersion === '1.1' && headers.host === undefined) throw new RequestError('There is no host.');
      const response = await app.fetch(request, bindings);
      if (draining) response.headers.set('Connection', 'close');
      return response;
    },
    {
      hostname: host,
      errorHandler: (error) => {
        const code = error instanceof RequestError ? codes.MALFORMED_HTTP : codes.INTERNAL_ERROR;
        const headers = { 'Content-Type': 'application/json' };
        return new Response(refusal(code), { status: resultCodes[code].status, headers });
      },
    },
  );
  const server = createServer(
    {
      headersTimeout,
      requestTimeout,
      connectionsCheckingInterval: checkInterval,
      maxHeaderSize: 16 * 1024,
      // Node would refuse a request without a host by itself, and without the envelope.
      requireHostHeader: false,
    },
    (incoming, outgoing) => {
      const unread = (unreadAnswers.get(incoming.socket) ?? 0) + 1;
      unreadAnswers.set(incoming.socket, unread);
      outgoing.once('close', () => {
        unreadAnswers.set(incoming.socket, unreadAnswers.get(incoming.socket)! - 1);
      });
      if (unread > pipelined) {
        incoming.socket.destroy();
        return;
      }
      const answered = Promise.resolve(answer(incoming, outgoing)).finally(() => underWay.delete(answered));
      underWay.add(answered);
    },
  );
  server.setTimeout(silence);
  server.maxConnections = connections;
  server.on('clientError', answerUnreadable);
  // Node would refuse what is expected of it by itself, and without the envelope.
  server.on('checkExpectation', ({ socket }) => answerUnreadable(new Error('Unknown expectation.'), socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: async () => {
      draining = true;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const drained = closed.then(() => Promise.all(underWay));
      await Promise.race([drained, delay(drain, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The codes for what Node finds wrong with a request; `000_913` for the rest. */
const unreadableCodes: Readonly<Record<string, ResultCode>> = {
  HPE_HEADER_OVERFLOW: codes.REQUEST_TOO_LARGE,
  ERR_HTTP_REQUEST_TIMEOUT: codes.REQUEST_TIMEOUT,
};

/** Answers what never became a request, in the envelope like everything else. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) return;
  const code = unreadableCodes[error.code ?? ''] ?? codes.MALFORMED_HTTP;
  const { status } = resultCodes[code];
  const body = refusal(code);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function refusal(code: ResultCode): string {
  return JSON.stringify({ response: { code, description: resultCodes[code].text } });
}
