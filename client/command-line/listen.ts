import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { readNumber, UsageError } from '../../command-line/command-line.ts';
import { isAcknowledgement, notificationAcknowledgement } from '../../wire/result-notification.ts';
import { InvalidNotificationError } from '../errors.ts';
import { verifyNotification } from '../result-notification.ts';
import type { ResultNotification } from '../result-notification.ts';
import { errorData, succeeded } from './command.ts';
import type { KmCommand } from './command.ts';
import type { Project } from './connect.ts';
import { listenPath, redirectNotifications } from './notification-url.ts';
import type { Terminal } from './terminal.ts';

/** How long the target may take, in ms: less than the 10 s that the service waits for us. */
const targetTimeoutMs = 9_000;

/** What answers a notification, and who gave the answer: the target's URL, or `km`. */
interface Answer {
  readonly from: string;
  readonly status: number;
  readonly body: string;
  readonly retryAfter?: string | undefined;
}

/** Receives result notifications, shows them and forwards them, until it is stopped. */
export const listenCommand: KmCommand = {
  summary: 'shows result notifications, verified and decrypted, and forwards them',
  required: [],
  optional: ['forward-to', 'port'],
  async run(values, { projects, url, isSandbox, terminal, untilStopped }) {
    const target = readTarget(values['forward-to']);
    const port = readNumber('port', values.port, 1, 65_535) ?? 0;
    const heard = isSandbox && values.asp === undefined ? projects : projects.slice(0, 1);
    if (!heard.every(({ encryption }) => encryption)) {
      throw new UsageError('KM_CLIENT_PRIVATE_KEY must be set as well: notifications are encrypted.');
    }
    const stopped = untilStopped();
    const server = await startServer(port, (request, response) =>
      receive(request, response, { projects: heard, target, terminal }),
    );
    const ownUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}${listenPath}`;
    const names = heard.map(({ aspId }) => aspId);
    try {
      const restore = isSandbox ? await redirectNotifications(url, names, ownUrl) : undefined;
      terminal.show(
        { listening: { url: ownUrl, projects: names, forwardTo: target } },
        `Listening at ${ownUrl} for the results of ${names.join(' and ')}. Ctrl-C ends it.`,
      );
      if (!isSandbox) terminal.line(`Have that made the notification URL of ${names.join()}.`);
      if (target !== undefined) terminal.line(`Forwarding to ${target}, which acknowledges.`);
      await stopped;
      await restore?.();
    } finally {
      server.close();
      server.closeAllConnections();
    }
    return succeeded;
  },
};

interface Receiver {
  readonly projects: readonly Project[];
  readonly target: string | undefined;
  readonly terminal: Terminal;
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  { projects, target, terminal }: Receiver,
): Promise<void> {
  const body = new Uint8Array(await buffer(request));
  const project = projects.find(({ aspId }) => aspId === request.headers['x-km-user-aspid']);
  const notification = await verify(request, body, project);
  if (notification instanceof InvalidNotificationError) {
    response.writeHead(400).end();
    const line = `${terminal.paint('red', 'Refused:')} ${notification.message}`;
    return terminal.show({ error: errorData(notification) }, line);
  }
  const answer = target === undefined ? acknowledge() : await forward(target, request, body);
  const { from, status, retryAfter } = answer;
  const headers = { 'Content-Type': 'application/json', ...(retryAfter && { 'Retry-After': retryAfter }) };
  response.writeHead(status, headers).end(answer.body);

  const isAcknowledged = isAcknowledgement(answer);
  const { bankAccRegNo, status: result } = notification;
  const verdict = isAcknowledged
    ? terminal.paint('green', 'acknowledged')
    : terminal.paint('red', 'not acknowledged: the service sends it again');
  terminal.show(
    { notification, answer: { from, status, acknowledged: isAcknowledged } },
    `${new Date().toISOString()}  ${bankAccRegNo}  ${terminal.paint('bold', result)}`,
    `  ${terminal.paint('dim', JSON.stringify(notification))}`,
    `  ${from} answered HTTP ${status}: ${verdict}`,
  );
}

async function verify(
  { headers }: IncomingMessage,
  body: Uint8Array,
  project: Project | undefined,
): Promise<ResultNotification | InvalidNotificationError> {
  try {
    if (!project?.encryption) {
      const text = 'X-KM-User-AspId is missing, or names a project that is not listened for.';
      throw new InvalidNotificationError({ code: 'NOTIFICATION_HEADERS', text });
    }
    const { clientPrivateKey } = project.encryption;
    return await verifyNotification({ headers, body, secretKey: project.secretKey, clientPrivateKey });
  } catch (error) {
    if (error instanceof InvalidNotificationError) return error;
    throw error;
  }
}

function acknowledge(): Answer {
  return { from: 'km', status: 200, body: JSON.stringify(notificationAcknowledgement) };
}

/** Sends the notification on, unchanged. A target that does not answer is HTTP 502, so that the service sends again. */
async function forward(target: string, { headers }: IncomingMessage, body: Uint8Array): Promise<Answer> {
  const forwarded = Object.entries(headers).filter(([name]) => /^(x-km-|content-type$)/.test(name));
  try {
    const answer = await fetch(target, {
      method: 'POST',
      headers: Object.fromEntries(forwarded.map(([name, value]) => [name, String(value)])),
      body: new Uint8Array(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(targetTimeoutMs),
    });
    const retryAfter = answer.headers.get('Retry-After') ?? undefined;
    return { from: target, status: answer.status, body: await answer.text(), retryAfter };
  } catch (error) {
    return { from: `km, because ${target} gave no answer (${reasonOf(error)}),`, status: 502, body: '' };
  }
}

/** The error of `fetch` has the actual reason as its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function readTarget(url: string | undefined): string | undefined {
  if (url === undefined || (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))) return url;
  throw new UsageError('--forward-to must be a URL that begins with http:// or https://.');
}

async function startServer(
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Server> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new UsageError(`Port ${port} cannot be listened on: ${(error as Error).message}.`);
  }
  return server;
}
