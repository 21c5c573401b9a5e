import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { announceSandbox } from '../../command-line/running-sandbox.ts';
import type { RunningSandbox } from '../../command-line/running-sandbox.ts';
import { searchAttributeNames } from '../../contract/search-attributes.ts';
import { keepMemoryOutOfCoreDumps } from '../../runtime/core-dumps.ts';
import { logExcerpt, startNodeChild, stopRecordedProcess, unexpectedExit } from './child-process.ts';
import type { Child } from './child-process.ts';
import { createDataDirectory, restrictDataDirectory } from './data-directory.ts';
import { lockDataDirectory } from './data-directory-lock.ts';
import { requireFreePorts } from './ports.ts';
import { projectDirectory } from './project-directory.ts';
import { loadOrCreateSecrets } from './secrets.ts';
import type { SandboxSecrets } from './secrets.ts';
import { readSettings, requiredPorts } from './settings.ts';
import type { SandboxSettings } from './settings.ts';
import { stopSignals } from './stop-signals.ts';
import type { StopSignals } from './stop-signals.ts';
import { findTemporalExecutable } from './temporal-executable.ts';
import { startTemporalServer } from './temporal-server.ts';

/** How long a component may take to become ready, in ms. */
const readyTimeoutMs = 120_000;

/** Started children, stopped in reverse order. */
type StartedChildren = Pick<Child, 'stop'>[];

/**
 * Runs the sandbox until it receives a signal or one of its processes exits: the Temporal development server, the
 * payment gateway simulator and the service. Sets the exit code: 0 after a requested stop, otherwise 1.
 */
export async function runSandbox(): Promise<void> {
  keepMemoryOutOfCoreDumps();
  process.umask(0o077);
  const signals = stopSignals();
  try {
    await runWithDataDirectory(readSettings(process.env), signals);
  } catch (error) {
    if (!signals.stop.aborted) {
      process.exitCode = 1;
      process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  if (signals.kill.aborted) process.exitCode = 1;
  signals.release();
}

async function runWithDataDirectory(settings: SandboxSettings, signals: StopSignals): Promise<void> {
  createDataDirectory(settings.dataDirectory);
  const lock = lockDataDirectory(settings.dataDirectory);
  const children: StartedChildren = [];
  try {
    await startAndWatch(settings, children, signals.stop);
  } finally {
    if (children.length > 0) log('Stopping ...');
    for (const child of children.toReversed()) await child.stop(signals.kill);
    lock.release();
    if (signals.stop.aborted) log('Stopped. The data is kept and used by the next start.');
  }
}

/** Starts everything, prints the URLs and never resolves. @throws {Error} when `stop` aborts or a process exits */
async function startAndWatch(
  settings: SandboxSettings,
  children: StartedChildren,
  stop: AbortSignal,
): Promise<never> {
  const startedAt = Date.now();
  const { dataDirectory, port, simulatorPort, temporalPort, temporalUiPort } = settings;
  log(`Sandbox with its data in ${dataDirectory}`);
  if (settings.ignored.length > 0) log(`The sandbox decides these itself: ${settings.ignored.join(', ')}`);
  const files = (name: string): { logFile: string; recordFile: string } => ({
    logFile: join(dataDirectory, 'logs', `${name}.log`),
    recordFile: join(dataDirectory, 'processes', `${name}.json`),
  });
  for (const name of ['service', 'simulator', 'temporal']) {
    if (await stopRecordedProcess(files(name).recordFile)) log(`Stopped an orphaned ${name} process.`);
  }
  restrictDataDirectory(dataDirectory);
  await requireFreePorts(requiredPorts(settings));
  const secrets = loadOrCreateSecrets(dataDirectory);
  const operatorToken = randomBytes(32).toString('hex');

  const executable = await findTemporalExecutable({ log, signal: stop });
  const temporalStartedAt = Date.now();
  const temporal = await startTemporalServer({
    executable,
    port: temporalPort,
    uiPort: temporalUiPort,
    databaseFile: join(dataDirectory, 'temporal.db'),
    codecEndpoint: `http://localhost:${port}/codec`,
    searchAttributes: searchAttributeNames,
    signal: stop,
    ...files('temporal'),
  });
  children.push(temporal);

  const simulator = await startNodeChild({
    name: 'payment gateway simulator',
    file: join(projectDirectory, 'development', 'simulator', 'main.ts'),
    environment: simulatorEnvironment(settings, secrets),
    ...files('simulator'),
  });
  children.push(simulator);

  const service = await startNodeChild({
    name: 'service',
    file: join(projectDirectory, 'development', 'sandbox', 'service.ts'),
    environment: { ...serviceEnvironment(settings, secrets), SANDBOX_OPERATOR_TOKEN: operatorToken },
    ...files('service'),
  });
  children.push(service);

  const exits = Promise.race([temporal.process, simulator, service].map(unexpectedExit));
  const startupOver = new AbortController();
  const cancel = AbortSignal.any([stop, startupOver.signal]);
  const childrenStartedAt = Date.now();
  const ready = Promise.all([
    waitUntilReady(temporal.process, `http://127.0.0.1:${temporalUiPort}`, temporalStartedAt, cancel),
    waitUntilReady(simulator, `http://127.0.0.1:${simulatorPort}/healthz`, childrenStartedAt, cancel),
    waitUntilReady(service, `http://127.0.0.1:${port}/readyz`, childrenStartedAt, cancel),
  ]);
  try {
    await Promise.race([ready, exits]);
  } finally {
    startupOver.abort();
  }
  announce({ url: `http://localhost:${port}`, operatorToken, readyAt: Date.now() });
  log(urlTable(settings));
  log(`ready in ${seconds(startedAt)} s: http://localhost:${port}/open-api (Ctrl-C stops everything)`);
  return await Promise.race([exits, untilAborted(stop)]);
}

function simulatorEnvironment(settings: SandboxSettings, secrets: SandboxSecrets): Record<string, string> {
  return {
    PG_SIMULATOR_PORT: String(settings.simulatorPort),
    PG_SIMULATOR_DATA_DIR: join(settings.dataDirectory, 'simulator'),
    PG_SHARED_SECRET: secrets.PG_SHARED_SECRET,
  };
}

function serviceEnvironment(settings: SandboxSettings, secrets: SandboxSecrets): Record<string, string> {
  return {
    ...settings.serviceEnvironment,
    HOST: '127.0.0.1',
    PORT: String(settings.port),
    DATA_DIR: settings.dataDirectory,
    TEMPORAL_ADDRESS: `127.0.0.1:${settings.temporalPort}`,
    TEMPORAL_NAMESPACE: 'default',
    PG_BASE_URL: `http://127.0.0.1:${settings.simulatorPort}`,
    PG_CALLBACK_URL: `http://127.0.0.1:${settings.port}/pg/callbacks`,
    CODEC_ALLOWED_ORIGIN: `http://localhost:${settings.temporalUiPort}`,
    ...secrets,
  };
}

/** Polls `url` until it responds with 2xx. @throws {Error} when `cancel` aborts or after {@link readyTimeoutMs} */
async function waitUntilReady(
  { name, logFile }: Child,
  url: string,
  startedAt: number,
  cancel: AbortSignal,
): Promise<void> {
  let nextReport = startedAt + 5_000;
  while (!(await isReady(url, cancel))) {
    if (Date.now() - startedAt > readyTimeoutMs) {
      throw new Error(
        `The ${name} is not ready at ${url} after ${seconds(startedAt)} s.\n${logExcerpt(logFile)}`,
      );
    }
    if (Date.now() > nextReport) {
      log(`  ${name}: still starting (${seconds(startedAt)} s)`);
      nextReport += 5_000;
    }
    await delay(100, undefined, { signal: cancel });
  }
  log(`  ${name}: started (${seconds(startedAt)} s)`);
}

async function isReady(url: string, cancel: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([cancel, AbortSignal.timeout(2_000)]) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    cancel.throwIfAborted();
    return false;
  }
}

/** Lets command lines find the sandbox by themselves. `km` works without it, with --url. */
function announce(sandbox: RunningSandbox): void {
  try {
    announceSandbox(process.env, sandbox);
  } catch (error) {
    log(`km needs --url ${sandbox.url}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function urlTable({ port, simulatorPort, temporalUiPort }: SandboxSettings): string {
  return `
  API              http://localhost:${port}/open-api
  Documentation    http://localhost:${port}/docs
  Credentials      http://localhost:${port}/sandbox/credentials
  Temporal Web UI  http://localhost:${temporalUiPort}
  Phone simulator  http://localhost:${simulatorPort}/simulator/phone

  Try it           ${exampleCommand(port)}
`;
}

/** A command for another terminal. */
function exampleCommand(port: number): string {
  return `npm run km -- register --user 10000000001 --bank 003 --account 11012345678 --watch --url http://localhost:${port}`;
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    const fail = (): void => reject(new Error('Stopped.', { cause: signal.reason }));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1);
}

function log(message: string): void {
  process.stdout.write(`${message}\n`);
}
