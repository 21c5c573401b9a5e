import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { searchAttributeNames } from '../../contract/search-attributes.ts';
import { describeLog, endRecordedProcess, startNodeChild, unexpectedExit } from './child-process.ts';
import type { Child } from './child-process.ts';
import { createDataDirectory } from './data-directory.ts';
import { lockDataDirectory } from './data-directory-lock.ts';
import { requireFreePorts } from './ports.ts';
import { projectDirectory } from './project-directory.ts';
import { loadOrCreateSecrets } from './secrets.ts';
import type { SandboxSecrets } from './secrets.ts';
import { readSettings, wantedPorts } from './settings.ts';
import type { SandboxSettings } from './settings.ts';
import { stopSignals } from './stop-signals.ts';
import type { StopSignals } from './stop-signals.ts';
import { findTemporalExecutable } from './temporal-executable.ts';
import { startTemporalServer } from './temporal-server.ts';

/** Milliseconds until a component must answer. */
const readyDeadline = 120_000;

/** What is stopped in the end, last started first. */
type Running = Pick<Child, 'stop'>[];

/**
 * Runs the whole sandbox until a signal or until one of its parts ends: the Temporal development server, the payment
 * gateway simulator and the service. Sets the exit code: 0 after a stop that was asked for, otherwise 1.
 */
export async function main(): Promise<void> {
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
  const running: Running = [];
  try {
    await runSandbox(settings, running, signals.stop);
  } finally {
    if (running.length > 0) log('Stopping ...');
    for (const child of running.toReversed()) await child.stop(signals.kill);
    lock.release();
    if (signals.stop.aborted) log('Stopped. The data is kept; the next start goes on with it.');
  }
}

/** Starts everything, tells where it is and never resolves. @throws {Error} when `stop` aborts or a part ends */
async function runSandbox(settings: SandboxSettings, running: Running, stop: AbortSignal): Promise<never> {
  const startedAt = Date.now();
  const { dataDirectory, port, simulatorPort, temporalPort, temporalUiPort } = settings;
  log(`Sandbox with its data in ${dataDirectory}`);
  const files = (name: string): { logFile: string; recordFile: string } => ({
    logFile: join(dataDirectory, 'logs', `${name}.log`),
    recordFile: join(dataDirectory, 'processes', `${name}.json`),
  });
  for (const name of ['service', 'simulator', 'temporal']) {
    if (await endRecordedProcess(files(name).recordFile)) log(`Ended a ${name} process that was left over.`);
  }
  await requireFreePorts(wantedPorts(settings));
  const secrets = loadOrCreateSecrets(dataDirectory);

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
  running.push(temporal);

  const simulator = await startNodeChild({
    name: 'payment gateway simulator',
    file: join(projectDirectory, 'development', 'simulator', 'main.ts'),
    environment: simulatorEnvironment(settings, secrets),
    ...files('simulator'),
  });
  running.push(simulator);

  const service = await startNodeChild({
    name: 'service',
    file: join(projectDirectory, 'development', 'sandbox', 'service.ts'),
    environment: serviceEnvironment(settings, secrets),
    ...files('service'),
  });
  running.push(service);

  const exits = Promise.race([temporal.process, simulator, service].map(unexpectedExit));
  const startup = new AbortController();
  const giveUp = AbortSignal.any([stop, startup.signal]);
  const childrenStartedAt = Date.now();
  const ready = Promise.all([
    waitUntilReady(temporal.process, `http://127.0.0.1:${temporalUiPort}`, temporalStartedAt, giveUp),
    waitUntilReady(simulator, `http://127.0.0.1:${simulatorPort}/healthz`, childrenStartedAt, giveUp),
    waitUntilReady(service, `http://127.0.0.1:${port}/readyz`, childrenStartedAt, giveUp),
  ]);
  try {
    await Promise.race([ready, exits]);
  } finally {
    startup.abort();
  }
  log(describeSandbox(settings));
  log(`ready in ${seconds(startedAt)} s: http://localhost:${port}/open-api (Ctrl-C stops everything)`);
  return await Promise.race([exits, aborted(stop)]);
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

/** Polls `url` until it answers 2xx. @throws {Error} when `giveUp` aborts or after {@link readyDeadline} */
async function waitUntilReady(
  { name, logFile }: Child,
  url: string,
  startedAt: number,
  giveUp: AbortSignal,
): Promise<void> {
  let nextReport = startedAt + 5_000;
  while (!(await answers(url, giveUp))) {
    if (Date.now() - startedAt > readyDeadline) {
      throw new Error(
        `The ${name} does not answer at ${url} after ${seconds(startedAt)} s.\n${describeLog(logFile)}`,
      );
    }
    if (Date.now() > nextReport) {
      log(`  ${name}: still starting (${seconds(startedAt)} s)`);
      nextReport += 5_000;
    }
    await delay(100, undefined, { signal: giveUp });
  }
  log(`  ${name}: started (${seconds(startedAt)} s)`);
}

async function answers(url: string, giveUp: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([giveUp, AbortSignal.timeout(2_000)]) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    giveUp.throwIfAborted();
    return false;
  }
}

function describeSandbox({ port, simulatorPort, temporalUiPort }: SandboxSettings): string {
  return `
  API              http://localhost:${port}/open-api
  Documentation    http://localhost:${port}/docs
  Credentials      http://localhost:${port}/sandbox/credentials
  Temporal Web UI  http://localhost:${temporalUiPort}
  Phone simulator  http://localhost:${simulatorPort}/simulator/phone

  Try it           ${exampleCommand(port)}
`;
}

/** A command to paste into another terminal. */
function exampleCommand(port: number): string {
  return `npm run km -- register --user 10000000001 --bank 003 --account 11012345678 --watch --url http://localhost:${port}`;
}

async function aborted(signal: AbortSignal): Promise<never> {
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
