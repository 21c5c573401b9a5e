import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { createCallbackSender } from '../activities/callback-sender.ts';
import { createActivities } from '../activities/activities.ts';
import { createApp } from '../api/app.ts';
import type { ApiParts } from '../api/context.ts';
import type { RequestLimits } from '../api/request-limits.ts';
import { listen } from '../api/server.ts';
import type { ConnectionLimits, ListeningServer } from '../api/server.ts';
import { sandboxPolicy } from '../contract/registration-policy.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import { searchAttributeNames } from '../contract/search-attributes.ts';
import { sandboxCircuitBreakers, withCircuitBreakers } from '../payment-gateway/circuit-breakers.ts';
import { createHttpPaymentGateway } from '../payment-gateway/http-payment-gateway.ts';
import type { CircuitBreakerOptions } from '../payment-gateway/circuit-breakers.ts';
import type { PaymentGateway } from '../payment-gateway/payment-gateway.ts';
import type { Database } from '../platform/database/database.ts';
import { createStores } from '../platform/database/stores.ts';
import type { Stores } from '../platform/database/stores.ts';
import { createLog } from '../platform/log.ts';
import { measurePaymentGateway } from '../platform/measured-payment-gateway.ts';
import { createMetrics } from '../platform/metrics.ts';
import type { Metrics } from '../platform/metrics.ts';
import { createDataConverter } from '../platform/temporal.ts';
import { listedMembers, loadCredentials, publicCredentials, seed } from '../sandbox/credentials.ts';
import { findFreePort } from '../sandbox/ports.ts';
import { startTemporalServer } from '../sandbox/temporal-server.ts';
import { createSimulator } from '../simulator/simulator.ts';
import { createWorker, installRuntime } from '../worker/worker.ts';
import { openEmptyDatabase } from './empty-database.ts';
import type { Project } from './wire-client.ts';

/** What a test may want to be different. */
export interface StackOptions {
  readonly policy?: RegistrationPolicy;
  /** Wraps the payment gateway, to lose answers or to see what is asked. */
  readonly paymentGateway?: (real: PaymentGateway) => PaymentGateway;
  /** Default: the sandbox's. */
  readonly circuitBreakers?: CircuitBreakerOptions;
  readonly api?: Partial<ApiParts>;
  /** Takes every log line of the service. */
  readonly onLogLine?: (line: string) => void;
  /** Of the Temporal server, `key=value`. */
  readonly dynamicConfiguration?: readonly string[];
  /** Keys that encrypt what Temporal stores; default: made for this stack alone. */
  readonly payloadKeys?: string;
}

/** The whole service on free ports of this machine: real HTTP, a real Temporal server, a real database, the simulator. */
export interface Stack {
  /** Of the API, without a path. */
  readonly url: string;
  readonly simulatorUrl: string;
  /** The two sandbox projects: the first takes plain bodies, the second demands encryption. */
  readonly projects: readonly [Project, Project];
  readonly temporal: Client;
  readonly temporalAddress: string;
  readonly stores: Stores;
  readonly database: Database;
  readonly paymentGatewaySecret: string;
  readonly payloadKeys: string;
  /** What replays a run's history. */
  readonly replayOptions: ReplayWorkerOptions;
  readonly databaseKeys: string;
  /** Of API and worker together. */
  readonly metrics: Metrics;
  /** Starts another API beside the first, sharing nothing with it in memory. @returns its URL */
  startAnotherApi(parts?: Partial<ApiParts>, limits?: Partial<ConnectionLimits>): Promise<string>;
  stopWorker(): Promise<void>;
  /** `otherParts`: what it is to have in place of the stack's own. */
  startWorker(otherParts?: { readonly stores?: Stores; readonly payloadKeys?: string }): Promise<void>;
  /** Stops and starts the Temporal server; what it held is lost. */
  stopTemporal(): Promise<void>;
  close(): Promise<void>;
}

/** Wide enough for every burst of the tests. */
export const sandboxLimits: RequestLimits = {
  requestsPerSecond: 5_000,
  requestBurst: 50_000,
  concurrentRequests: 10,
  waitingRequests: 5_000,
  requestsInHand: 10_000,
};

const key = () => `test-key:${randomBytes(32).toString('base64')}`;

/** Starts a stack of its own; `close` it in `afterAll`. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), 'stack-'));
  const paymentGatewaySecret = randomBytes(32).toString('hex');
  const [payloadKeys, databaseKeys] = [options.payloadKeys ?? key(), key()];
  const log = createLog('test', options.onLogLine ? 'trace' : 'silent', options.onLogLine);
  if (options.onLogLine) installRuntime(log, { shutdownSignals: [] });
  else Runtime.install({ logger: quiet, shutdownSignals: [] });
  const metrics = createMetrics();

  const temporalServer = await startTemporalServer({
    executable: inject('temporalExecutable'),
    port: await findFreePort(),
    headless: true,
    searchAttributes: searchAttributeNames,
    dynamicConfiguration: options.dynamicConfiguration ?? [],
  });
  const dataConverter = createDataConverter(payloadKeys);
  const connection = await Connection.connect({ address: temporalServer.address });
  const temporal = new Client({ connection, dataConverter });

  const database = await openEmptyDatabase();
  const stores = createStores(database.queries, databaseKeys);
  const credentials = await loadCredentials(join(directory, 'credentials.json'));
  await seed(stores, credentials, listedMembers);

  const simulator = createSimulator({
    dataDirectory: join(directory, 'simulator'),
    sharedSecret: paymentGatewaySecret,
  });
  const { url: simulatorUrl } = await simulator.start(0);
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const realPaymentGateway = createHttpPaymentGateway({
    baseUrl: simulatorUrl,
    sharedSecret: paymentGatewaySecret,
    callbackUrl: `${url}/pg/callbacks`,
  });
  const paymentGateway = withCircuitBreakers(
    measurePaymentGateway(options.paymentGateway?.(realPaymentGateway) ?? realPaymentGateway, metrics),
    options.circuitBreakers ?? sandboxCircuitBreakers,
  );

  const workflowBundle = { codePath: inject('workflowBundle') };
  let hosted: { worker: Worker; running: Promise<void>; connection: NativeConnection } | undefined;
  const startWorker: Stack['startWorker'] = async (otherParts = {}) => {
    const nativeConnection = await NativeConnection.connect({ address: temporalServer.address });
    const worker = await createWorker({
      connection: nativeConnection,
      namespace: 'default',
      dataConverter: createDataConverter(otherParts.payloadKeys ?? payloadKeys),
      activities: createActivities({
        stores: otherParts.stores ?? stores,
        paymentGateway,
        callbackSender: createCallbackSender({ allowLoopback: true }),
        metrics,
      }),
      workflowBundle,
      shutdownGraceTime: 1_000,
    });
    hosted = { worker, running: worker.run(), connection: nativeConnection };
  };
  const stopWorker = async () => {
    if (!hosted) return;
    hosted.worker.shutdown();
    await hosted.running;
    await hosted.connection.close();
    hosted = undefined;
  };
  await startWorker();

  const servers: ListeningServer[] = [];
  const startApi = async (
    apiPort: number,
    otherParts: Partial<ApiParts> = {},
    limits: Partial<ConnectionLimits> = {},
  ) => {
    const parts: ApiParts = {
      stores,
      database,
      temporal,
      paymentGateway,
      paymentGatewaySecret,
      payloadCodec: dataConverter.payloadCodecs![0]!,
      policy: options.policy ?? sandboxPolicy,
      timeWindow: 10 * 60 * 1_000,
      log,
      metrics,
      limits: sandboxLimits,
      codec: { allowedOrigin: 'http://localhost:8233' },
      sandboxCredentials: () => publicCredentials(credentials),
      phoneUrl: `${simulatorUrl}/simulator/phone`,
      ...options.api,
      ...otherParts,
    };
    const server = await listen(createApp(parts), { port: apiPort, host: '127.0.0.1', limits });
    servers.push(server);
    return `http://127.0.0.1:${server.port}`;
  };
  await startApi(port);

  return {
    url,
    simulatorUrl,
    projects: publicCredentials(credentials).projects as unknown as [Project, Project],
    temporal,
    temporalAddress: temporalServer.address,
    stores,
    database,
    paymentGatewaySecret,
    payloadKeys,
    replayOptions: { workflowBundle, dataConverter },
    databaseKeys,
    metrics,
    startAnotherApi: (otherParts, limits) => startApi(0, otherParts, limits),
    startWorker,
    stopWorker,
    stopTemporal: () => temporalServer.stop(),
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
      await stopWorker();
      await connection.close();
      await simulator.stop();
      await database.close();
      await temporalServer.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const ignore = () => {};

/** Swallows what the SDK logs. */
export const quiet = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
