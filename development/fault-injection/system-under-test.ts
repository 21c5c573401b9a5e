import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { searchAttributeNames } from '../../contract/search-attributes.ts';
import { openPostgres } from '../../database/database.ts';
import { migrateDatabase } from '../../database/migrate.ts';
import { createStores } from '../../database/stores.ts';
import { createToken } from '../../runtime/bearer-tokens.ts';
import { createLog } from '../../runtime/log.ts';
import { startNodeChild } from '../sandbox/child-process.ts';
import { loadCredentials, publicCredentials, seed } from '../sandbox/credentials.ts';
import { inventMembers } from '../sandbox/members.ts';
import type { SandboxMember } from '../sandbox/members.ts';
import { findFreePort } from '../sandbox/ports.ts';
import { projectDirectory } from '../sandbox/project-directory.ts';
import { loadOrCreateSecrets } from '../sandbox/secrets.ts';
import type { SandboxSecrets } from '../sandbox/secrets.ts';
import { findTemporalExecutable } from '../sandbox/temporal-executable.ts';
import { startTemporalServer } from '../sandbox/temporal-server.ts';
import { buildWorkflowBundle } from '../build/workflow-bundle.ts';
import { startCallbackProxy } from './callback-proxy.ts';
import type { CallbackProxy } from './callback-proxy.ts';
import { startNotificationReceiver } from './notification-receiver.ts';
import type { NotificationReceiver } from './notification-receiver.ts';
import { pathNames } from './plan.ts';
import type { PathName, Plan, ProcessName } from './plan.ts';
import { carryOutRestore } from './restore.ts';
import type { Restore } from './restore.ts';
import { createPostgresCluster } from './postgres.ts';
import { supervise } from './supervised-process.ts';
import type { SupervisedProcess } from './supervised-process.ts';
import { createRunFaults } from './run-faults.ts';
import type { RunFaults } from './run-faults.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** Logged when a program is up. Without an available dependency it exits earlier, and is restarted. */
const startedMessage = /"msg":"(the API is listening|the worker is running|The simulator is listening)"/;

/** The processes log in with it; it does not own the audit trail. */
const serviceRole = 'service';

/** How long the whole service may take to start, in ms. */
const startTimeoutMs = 120_000;

/** The service and its dependencies: separate processes, with a proxy on each connection. */
export interface SystemUnderTest {
  /** Contains all state and logs. */
  readonly directory: string;
  readonly logDirectory: string;
  readonly temporalDatabaseFile: string;
  readonly processes: Readonly<Record<ProcessName, SupervisedProcess>>;
  readonly proxies: Readonly<Record<PathName, TcpProxy>>;
  readonly callbackProxy: CallbackProxy;
  readonly notificationReceiver: NotificationReceiver;
  readonly secrets: SandboxSecrets;
  readonly project: ReturnType<typeof publicCredentials>['projects'][number];
  readonly members: readonly SandboxMember[];
  /** Addresses without a proxy, for the observer. */
  readonly direct: {
    readonly databaseUrl: string;
    readonly temporalAddress: string;
    readonly simulatorUrl: string;
  };
  /** The API through its proxy. */
  readonly apiUrl: string;
  readonly runFaults: RunFaults;
  /** Kills the Temporal server, and starts it with an empty database. @returns 1 */
  readonly emptyTemporal: (downMs: number) => Promise<number>;
  /** Puts the database back to how it was `agoMs` before, and has an operator go on from there. @returns 1 */
  readonly restoreDatabase: (agoMs: number) => Promise<number>;
  /** The restores so far. */
  readonly restores: readonly Restore[];
  /** Ends all processes. `keep` leaves the directory for inspection. */
  close(keep: boolean): Promise<void>;
}

/** Starts everything and waits until the service is ready. */
export async function startSystemUnderTest(
  plan: Plan,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<SystemUnderTest> {
  const executable = await findTemporalExecutable({ log: print, signal });
  const directory = await mkdtemp(join(tmpdir(), 'chaos-'));
  const closers: (() => unknown)[] = [];
  const close = async (keep: boolean): Promise<void> => {
    for (const closer of closers.toReversed()) await closer();
    if (!keep) await rm(directory, { recursive: true, force: true });
  };
  try {
    // PostgreSQL may run as another user, who needs access to its directory in here.
    await chmod(directory, 0o711);
    const logDirectory = join(directory, 'logs');
    await mkdir(logDirectory, { mode: 0o700 });
    const logFile = (name: ProcessName, generation: number): string =>
      join(logDirectory, `${name}-${String(generation).padStart(3, '0')}.log`);
    const secrets = loadOrCreateSecrets(directory);
    const [databasePort, temporalPort, simulatorPort, apiPort] = await findFreePorts(4);
    const processes: Partial<Record<ProcessName, SupervisedProcess>> = {};
    const startSupervised = async (
      name: ProcessName,
      ...how: Parameters<typeof supervise>
    ): Promise<void> => {
      const supervised = supervise(...how);
      closers.push(() => supervised.stop());
      processes[name] = supervised;
      await supervised.waitUntilRunning();
    };

    print('starting PostgreSQL');
    const cluster = await createPostgresCluster(directory, databasePort!);
    await startSupervised('database', (generation) => cluster.start(logFile('database', generation)));
    print('starting the Temporal server');
    const temporalDatabaseFile = join(directory, 'temporal.db');
    let isTemporalToBeEmptied = false;
    await startSupervised('temporal', async (generation) => {
      if (isTemporalToBeEmptied) {
        isTemporalToBeEmptied = false;
        for (const suffix of ['', '-wal', '-shm'])
          await rm(`${temporalDatabaseFile}${suffix}`, { force: true });
      }
      const server = await startTemporalServer({
        executable,
        port: temporalPort!,
        headless: true,
        databaseFile: temporalDatabaseFile,
        searchAttributes: searchAttributeNames,
        logFile: logFile('temporal', generation),
      });
      return server.process;
    });

    const credentials = await loadCredentials(join(directory, 'credentials.json'));
    const project = publicCredentials(credentials).projects[0]!;
    const notificationReceiver = await startNotificationReceiver(project, plan.results);
    closers.push(() => notificationReceiver.close());
    const callbackProxy = await startCallbackProxy(apiPort!, plan.callbacks);
    closers.push(() => callbackProxy.close());
    const targets: Record<PathName, number> = {
      api: apiPort!,
      database: databasePort!,
      temporal: temporalPort!,
      paymentGateway: simulatorPort!,
      notificationReceiver: notificationReceiver.port,
    };
    const proxies = Object.fromEntries(
      await Promise.all(pathNames.map(async (name) => [name, await startTcpProxy(targets[name])] as const)),
    ) as Record<PathName, TcpProxy>;
    closers.push(() => Object.values(proxies).forEach((proxy) => proxy.close()));

    const members = inventMembers(BigInt(project.members[0]!.userId), plan.members.length);
    await migrateDatabase(cluster.url, { name: serviceRole });
    const database = await openPostgres(cluster.url, createLog('chaos', 'silent'));
    const stores = createStores(database.queries, secrets.DATABASE_KEYS);
    await seed(stores, credentials, plan.members.length);
    const receiverUrl = `http://127.0.0.1:${proxies.notificationReceiver.port}/results`;
    await stores.projects.setNotificationUrl(project.aspId, receiverUrl);
    await database.close();

    // Built once, so that a restarted worker is up quickly.
    const workflowBundle = join(directory, 'workflow-bundle.js');
    await writeFile(workflowBundle, (await buildWorkflowBundle()).code);

    const operator = createToken('chaos', '2999-12-31');
    const environment = {
      ...secrets,
      NODE_ENV: 'development',
      PORT: String(apiPort),
      HOST: '127.0.0.1',
      SHUTDOWN_DELAY_MS: '0',
      DATABASE_URL: withUser(withPort(cluster.url, proxies.database.port), serviceRole),
      TEMPORAL_ADDRESS: `127.0.0.1:${proxies.temporal.port}`,
      PG_BASE_URL: `http://127.0.0.1:${proxies.paymentGateway.port}`,
      PG_CALLBACK_URL: `http://127.0.0.1:${callbackProxy.port}/pg/callbacks`,
      CODEC_ALLOWED_ORIGIN: 'http://localhost:8233',
      CODEC_TOKENS: operator.setting,
      OPERATOR_TOKENS: operator.setting,
      OPERATOR_TOKEN: operator.token,
      // A single project generates all the load.
      REQUESTS_PER_SECOND: '1000',
      CONCURRENT_REQUESTS: '200',
      WORKFLOW_BUNDLE: workflowBundle,
    };
    const program = (name: ProcessName, file: string, variables: Record<string, string>) =>
      startSupervised(
        name,
        (generation) =>
          startNodeChild({
            name,
            file: join(projectDirectory, file),
            environment: variables,
            logFile: logFile(name, generation),
          }),
        async (child) => startedMessage.test(await readFile(child.logFile, 'utf8')),
      );
    print('starting the simulator, the API and two workers');
    await program('simulator', 'development/simulator/main.ts', {
      PG_SIMULATOR_PORT: String(simulatorPort),
      PG_SIMULATOR_DATA_DIR: join(directory, 'simulator'),
      PG_SHARED_SECRET: secrets.PG_SHARED_SECRET,
    });
    await program('api', 'development/fault-injection/api.ts', environment);
    for (const name of ['worker', 'secondWorker'] as const)
      await program(name, 'development/fault-injection/worker.ts', environment);
    const runFaults = createRunFaults(`127.0.0.1:${temporalPort}`, secrets.PAYLOAD_KEYS);
    closers.push(() => runFaults.close());
    const apiUrl = `http://127.0.0.1:${proxies.api.port}`;
    const simulatorUrl = `http://127.0.0.1:${simulatorPort}`;
    await Promise.all(
      [`${apiUrl}/readyz`, `${simulatorUrl}/healthz`].map((url) => waitUntilReady(url, signal)),
    );

    const restores: Restore[] = [];
    // What Temporal's old database knew is gone, so only what came later can be found again.
    let oldestRestore = Date.now();

    return {
      directory,
      logDirectory,
      temporalDatabaseFile,
      processes: processes as Record<ProcessName, SupervisedProcess>,
      proxies,
      callbackProxy,
      notificationReceiver,
      secrets,
      project,
      members,
      direct: {
        databaseUrl: cluster.url,
        temporalAddress: `127.0.0.1:${temporalPort}`,
        simulatorUrl,
      },
      apiUrl,
      runFaults,
      async emptyTemporal(downMs) {
        isTemporalToBeEmptied = true;
        await processes.temporal!.kill(downMs);
        oldestRestore = Date.now();
        return 1;
      },
      async restoreDatabase(agoMs) {
        const restore = await carryOutRestore({
          to: new Date(Math.max(Date.now() - agoMs, oldestRestore)),
          cluster,
          processes: processes as Record<ProcessName, SupervisedProcess>,
          environment,
          logDirectory,
          print,
        });
        restores.push(restore);
        return 1;
      },
      restores,
      close,
    };
  } catch (error) {
    await close(true);
    throw error;
  }
}

async function findFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await findFreePort());
  return [...ports];
}

function withPort(url: string, port: number): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

function withUser(url: string, user: string): string {
  const changed = new URL(url);
  changed.username = user;
  return changed.href;
}

async function waitUntilReady(url: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    if (Date.now() > deadline) throw new Error(`${url} is not ready after ${startTimeoutMs / 1_000} s.`);
    await delay(200);
  }
}
