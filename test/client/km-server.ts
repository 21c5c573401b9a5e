import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { openJwe } from './jwe.ts';
import { macOf, project } from './project.ts';

/** A received request. Its token matches its body. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As sent. */
  readonly body: string;
  /** `body`, decrypted if it was encrypted. */
  readonly content: string;
}

/** An HTTP answer. */
interface FakeReply {
  readonly status: number;
  readonly body: string;
  readonly location?: string;
  readonly retryAfter?: string;
}

/** An answer; `drop` breaks the connection. */
export type FakeAnswer = FakeReply | 'drop';

/** A server on localhost. */
export interface KmServer {
  /** Without a path. */
  readonly url: string;
  readonly baseUrl: string;
  readonly requests: ReceivedRequest[];
}

/** Writes the envelope around the text of a payload's members, such as `"status":"ARS_AUTH_DONE"`. */
export function envelope(code: string, members = ''): FakeReply {
  const response = `"response":${JSON.stringify({ code, description: `Text of ${code}.` })}`;
  return { status: code === '000_000' ? 200 : 400, body: `{${members}${members && ','}${response}}` };
}

/** Starts a server for the running test that gives these answers in order, and repeats the last one. */
export async function startKmServer(
  ...answers: (FakeAnswer | ((path: string) => FakeAnswer))[]
): Promise<KmServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  const url = `http://127.0.0.1:${address.port}`;
  return { url, baseUrl: `${url}/open-api`, requests };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = read(request.method!, request.url!, request.headers, await text(request));
    requests.push(received);
    const next = answers.length > 1 ? answers.shift()! : answers[0]!;
    const answer = typeof next === 'function' ? next(received.path) : next;
    if (answer === 'drop') {
      request.socket.destroy();
      return;
    }
    const { status, body, location, retryAfter } = answer;
    const headers = { ...(location && { location }), ...(retryAfter && { 'retry-after': retryAfter }) };
    response.writeHead(status, headers).end(body);
  }
}

function read(method: string, path: string, headers: IncomingHttpHeaders, body: string): ReceivedRequest {
  const { encData }: { encData?: string } = body ? JSON.parse(body) : {};
  const content = encData === undefined ? body : openJwe(encData, project.server.privateKey);
  const token = String(headers['x-km-tran-token']);
  if (method === 'POST' && token.slice(23) !== macOf(body))
    throw new Error('The token does not match the body.');
  return { method, path, headers, body, content };
}
