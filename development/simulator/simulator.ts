import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { createTaskScheduler } from './task-scheduler.ts';
import type { TaskChanges, RunTask } from './task-scheduler.ts';
import { createBanks } from './banks.ts';
import { deliverCallback } from './callback-delivery.ts';
import { createCalls, publicState } from './calls.ts';
import { defaultTimings } from './behaviour.ts';
import type { Timings } from './behaviour.ts';
import { gatewayRoutes } from './gateway-routes.ts';
import { silentLog } from './log.ts';
import type { Log } from './log.ts';
import { phoneRoutes } from './phone-routes.ts';
import { createRegistrationLedger } from './registration-ledger.ts';
import { refuseOtherSites } from './requests.ts';
import type { HttpEnvironment } from './requests.ts';
import { stateRoutes } from './state-routes.ts';
import { openStore } from './store.ts';
import type { Task, TaskKey } from './store.ts';

const maxBodyBytes = 64 * 1024;

/** How long requests in flight may take to finish when the simulator stops, in ms. */
const stopGraceMs = 200;

export interface SimulatorOptions {
  /** Holds the state; created if missing. Only one simulator at a time may use it. */
  dataDirectory: string;
  /** Signs requests and callbacks. One or several, separated by commas: the first one signs, all are accepted. */
  sharedSecret: string;
  /** Silent by default; a pino logger fits. */
  log?: Log;
  /** Shorter durations for tests, in ms. */
  timings?: Partial<Timings>;
}

/** A payment gateway with its banks, the ARS and members' phones. */
export interface Simulator {
  app: Hono<HttpEnvironment>;
  /**
   * Listens and resumes the tasks that an earlier simulator left. Port 0 picks a free one; `host` defaults to
   * 127.0.0.1. Rejects with Node's own error (EADDRINUSE, ...) if it cannot listen.
   */
  start(port: number, host?: string): Promise<{ port: number; url: string }>;
  /** Closes the server and the store, whether started or not. Held requests are closed. */
  stop(): Promise<void>;
}

/** Opens the data directory; throws if that fails. */
export function createSimulator(options: SimulatorOptions): Simulator {
  const { dataDirectory, sharedSecret, log = silentLog } = options;
  const timings = { ...defaultTimings, ...options.timings };
  const store = openStore(dataDirectory);
  const scheduler = createTaskScheduler(store, log);
  const calls = createCalls(store, scheduler, timings);
  const banks = createBanks();
  const registrations = createRegistrationLedger(store, scheduler, calls, timings);

  const app = new Hono<HttpEnvironment>();
  app.use(bodyLimit({ maxSize: maxBodyBytes }));
  app.use('/simulator/*', refuseOtherSites);
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/', (c) => c.redirect('/simulator/phone'));
  app.route('/v1', gatewayRoutes(sharedSecret, calls, registrations, banks, timings));
  app.route('/simulator', stateRoutes(calls, registrations, banks));
  app.route('/simulator', phoneRoutes(calls));
  app.notFound((c) => c.json({ error: 'Not found' }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
    log.error({ error: String(error), path: c.req.path }, 'A request failed');
    return c.json({ error: 'Internal error' }, 500);
  });

  const listener = getRequestListener(app.fetch);
  const server = createServer((request, response) => void listener(request, response));

  const run: RunTask = async (key, task, stopping) => {
    if (task.kind === 'DELIVER_CALLBACK')
      return deliverCallback(scheduler, sharedSecret, key, task, stopping);
    await scheduler.commit((tasks) => {
      // It may have been removed since its timer fired.
      if (store.tasks.doesExist(key)) settle(tasks, key, task);
    });
  };

  function settle(tasks: TaskChanges, key: TaskKey, task: Exclude<Task, { kind: 'DELIVER_CALLBACK' }>): void {
    if (task.kind === 'ENTER_REGISTRATION') {
      return registrations.enterAccepted(tasks, key, task.entry, task.callbackUrl);
    }
    const call = store.calls.get(task.callId);
    tasks.remove(key);
    if (call && publicState(call) === 'IN_PROGRESS') calls.conclude(tasks, call, task.conclusion);
  }

  return {
    app,
    async start(port, host = '127.0.0.1') {
      const listeningPort = await listen(server, port, host);
      scheduler.start(run);
      return { port: listeningPort, url: `http://${host}:${listeningPort}` };
    },
    async stop() {
      await scheduler.stop();
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
    const timer = setTimeout(() => server.closeAllConnections(), stopGraceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
