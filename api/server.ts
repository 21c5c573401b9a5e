import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { RequestError, getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { resultCodes } from '../contract/result-codes.ts';
import type { ResultCode } from '../contract/result-codes.ts';
import type { Api } from './context.ts';

/** A listening server. */
export interface ListeningServer {
  readonly port: number;
  /** Takes no new requests, lets those under way end for up to 10 s, then cuts them off. */
  close(): Promise<void>;
}

const drainTime = 10_000;

/**
 * Listens. Slow clients are cut off: headers must be there within 10 s, the whole request within 30 s.
 * Throws when the port is taken.
 * @param listen `port` 0 takes any free port.
 */
export async function listen(
  app: Hono<Api>,
  { port, host }: { port: number; host: string },
): Promise<ListeningServer> {
  let draining = false;
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
        const code = error instanceof RequestError ? '000_913' : '000_990';
        const headers = { 'Content-Type': 'application/json' };
        return new Response(refusal(code), { status: resultCodes[code].status, headers });
      },
    },
  );
  const server = createServer(
    // Node would refuse a request without a host by itself, and without the envelope.
    { headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16 * 1024, requireHostHeader: false },
    (incoming, outgoing) => void answer(incoming, outgoing),
  );
  server.on('clientError', answerUnreadable);
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
      const cutOff = setTimeout(() => server.closeAllConnections(), drainTime);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

/** Answers what never became a request, in the envelope like everything else. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) return;
  const code: ResultCode = error.code === 'HPE_HEADER_OVERFLOW' ? '000_911' : '000_913';
  const { status } = resultCodes[code];
  const body = refusal(code);
  socket.end(
    `HTTP/1.1 ${status} ${status === 413 ? 'Payload Too Large' : 'Bad Request'}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function refusal(code: ResultCode): string {
  return JSON.stringify({ response: { code, description: resultCodes[code].text } });
}
