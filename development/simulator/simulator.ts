import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { createAgenda } from './agenda.ts';
import type { Plan, RunTask } from './agenda.ts';
import { createBanks } from './banks.ts';
import { deliver } from './callbacks.ts';
import { createCalls, publicState } from './calls.ts';
import { defaultTimings } from './conduct.ts';
import type { Timings } from './conduct.ts';
import { gatewayRoutes } from './gateway-routes.ts';
import { silentLog } from './log.ts';
import type { Log } from './log.ts';
import { phoneRoutes } from './phone-routes.ts';
import { createRegistrations } from './registrations.ts';
import { refuseOtherSites } from './requests.ts';
import type { HttpEnvironment } from './requests.ts';
import { sandboxRoutes } from './sandbox-routes.ts';
import { openStore } from './store.ts';
import type { Task, TaskKey } from './store.ts';

const longestBody = 64 * 1024;

/** Milliseconds that requests under way are given to finish when the simulator stops. */
const stopGrace = 200;

export interface SimulatorOptions {
  /** Where everything is remembered; made if need be. One simulator at a time may use it. */
  dataDirectory: string;
  /** Signs requests and callbacks. One or several, separated by commas: the first signs, all are taken. */
  sharedSecret: string;
  /** Silent by default; a pino logger fits. */
  log?: Log;
  /** Shorter times than the real ones, for tests. Milliseconds. */
  timings?: Partial<Timings>;
}

/** A payment gateway with its banks, an ARS and members' phones. */
export interface Simulator {
  app: Hono<HttpEnvironment>;
  /**
   * Listens and takes up what an earlier simulator left undone. Port 0 picks a free one; `host` is 127.0.0.1
   * unless told. Rejects with node's own error (EADDRINUSE, ...) if it cannot listen.
   */
  start(port: number, host?: string): Promise<{ port: number; url: string }>;
  /** Closes the server and the store, whether started or not. Held requests are cut. */
  stop(): Promise<void>;
}

/** Opens the data directory; throws if that fails. */
export function createSimulator(options: SimulatorOptions): Simulator {
  const { dataDirectory, sharedSecret, log = silentLog } = options;
  const timings = { ...defaultTimings, ...options.timings };
  const store = openStore(dataDirectory);
  const agenda = createAgenda(store, log);
  const calls = createCalls(store, agenda, timings);
  const banks = createBanks();
  const registrations = createRegistrations(store, agenda, calls, timings);

  const app = new Hono<HttpEnvironment>();
  app.use(bodyLimit({ maxSize: longestBody }));
  app.use('/simulator/*', refuseOtherSites);
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.route('/v1', gatewayRoutes(sharedSecret, calls, registrations, banks, timings));
  app.route('/simulator', sandboxRoutes(calls, registrations, banks));
  app.route('/simulator', phoneRoutes(calls));
  app.notFound((c) => c.json({ error: 'There is nothing here' }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
    log.error({ error: String(error), path: c.req.path }, 'A request failed');
    return c.json({ error: 'The simulator failed' }, 500);
  });

  const listener = getRequestListener(app.fetch);
  const server = createServer((request, response) => void listener(request, response));

  const run: RunTask = async (key, task, stopping) => {
    if (task.kind === 'DELIVER_CALLBACK') return deliver(agenda, sharedSecret, key, task, stopping);
    await agenda.commit((plan) => {
      // It may have been dropped since its timer went off.
      if (store.tasks.doesExist(key)) settle(plan, key, task);
    });
  };

  function settle(plan: Plan, key: TaskKey, task: Exclude<Task, { kind: 'DELIVER_CALLBACK' }>): void {
    if (task.kind === 'ENTER_REGISTRATION') {
      return registrations.enterAccepted(plan, key, task.entry, task.callbackUrl);
    }
    const call = store.calls.get(task.callId);
    plan.drop(key);
    if (call && publicState(call) === 'IN_PROGRESS') calls.conclude(plan, call, task.conclusion);
  }

  return {
    app,
    async start(port, host = '127.0.0.1') {
      const listeningPort = await listen(server, port, host);
      agenda.start(run);
      return { port: listeningPort, url: `http://${host}:${listeningPort}` };
    },
    async stop() {
      await agenda.stop();
      await close(server);
      await store.close();
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), stopGrace);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
