import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a service provider answers to take a callback. */
export const acknowledgement = {
  status: 200,
  body: '{"response":{"code":"000_000","description":"Success."}}',
};

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** A service provider's callback endpoint. */
export type CallbackReceiver = Awaited<ReturnType<typeof startCallbackReceiver>>;

/** Starts an endpoint with answers to give in turn, the first one to the first callback; the last one is repeated. */
export async function startCallbackReceiver() {
  const received: { headers: IncomingMessage['headers']; body: Buffer; at: number }[] = [];
  let answers: readonly Answer[] = [acknowledgement];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answers[Math.min(received.length, answers.length - 1)]!;
      received.push({ headers: request.headers, body: Buffer.concat(chunks), at: Date.now() });
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/results`,
    received,
    answerWith: (...next: readonly Answer[]) => {
      answers = next;
    },
    close: () => server.close(),
  };
}
