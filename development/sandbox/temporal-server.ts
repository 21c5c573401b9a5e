import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { addMissingSearchAttributes } from '../../runtime/temporal-namespace.ts';
import { logExcerpt, startChild, unexpectedExit } from './child-process.ts';
import type { Child } from './child-process.ts';

/** How long the server may take to start, in ms. */
const startTimeoutMs = 60_000;

/** Every commit is on disk before it is acknowledged. */
const sqlitePragmas = ['--sqlite-pragma=journal_mode=WAL', '--sqlite-pragma=synchronous=FULL'];

/** Options of a development server. */
export interface TemporalServerOptions {
  /** See `findTemporalExecutable`. */
  readonly executable: string;
  /** Port of the gRPC frontend on 127.0.0.1. */
  readonly port: number;
  /** Port of the Web UI; default: `port` + 1000. */
  readonly uiPort?: number;
  /** Whether to run without the Web UI. */
  readonly headless?: boolean;
  /** SQLite file; default: in memory. */
  readonly databaseFile?: string;
  /** URL at which the Web UI has payloads decrypted. */
  readonly codecEndpoint?: string;
  /** Default: a temporary file, removed by `stop()`. */
  readonly logFile?: string;
  /** See `stopRecordedProcess`. */
  readonly recordFile?: string;
  /** Keyword search attributes to create in the namespace `default`. */
  readonly searchAttributes?: readonly string[];
  /** Additional dynamic configuration, `key=value`. */
  readonly dynamicConfiguration?: readonly string[];
  /** Cancels the start. */
  readonly signal?: AbortSignal;
}

/** A running development server. */
export interface TemporalServer {
  /** Host and port of the gRPC frontend. */
  readonly address: string;
  /** Undefined when headless. */
  readonly uiUrl: string | undefined;
  readonly process: Child;
  /** Stops it like {@link Child.stop}. */
  stop(killSignal?: AbortSignal): Promise<void>;
}

/**
 * Starts `temporal server start-dev` and waits until its namespace `default` has the search attributes.
 *
 * `createLocal` of `@temporalio/testing` cannot replace this. It does not expose the process, so a server left over from
 * a killed launcher could not be found, its exit would go unnoticed and fault injection could not kill it. It writes the
 * server's output to the terminal, and its start cannot be cancelled.
 *
 * @throws {UnexpectedExitError} when the server exits during the start
 * @throws {Error} when it does not answer within 60 s
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { port, uiPort = port + 1000, headless = false, searchAttributes = [], signal } = options;
  const temporaryDirectory = options.logFile ? undefined : await mkdtemp(join(tmpdir(), 'temporal-server-'));
  const child = await startChild({
    name: 'Temporal server',
    executable: options.executable,
    arguments: serverArguments({ ...options, uiPort, headless, searchAttributes }),
    environment: {},
    logFile: options.logFile ?? join(temporaryDirectory ?? '', 'temporal.log'),
    recordFile: options.recordFile,
  });
  const stop = async (killSignal?: AbortSignal): Promise<void> => {
    await child.stop(killSignal);
    if (temporaryDirectory) await rm(temporaryDirectory, { recursive: true, force: true });
  };

  const address = `127.0.0.1:${port}`;
  const startFailed = new AbortController();
  try {
    const signals = [startFailed.signal, ...(signal ? [signal] : [])];
    await Promise.race([
      waitUntilReady(address, searchAttributes, child.logFile, AbortSignal.any(signals)),
      unexpectedExit(child),
    ]);
  } catch (error) {
    startFailed.abort();
    await stop();
    throw error;
  }
  return { address, uiUrl: headless ? undefined : `http://localhost:${uiPort}`, process: child, stop };
}

function serverArguments({
  port,
  uiPort,
  headless,
  databaseFile,
  codecEndpoint,
  searchAttributes,
  dynamicConfiguration = [],
}: TemporalServerOptions & {
  readonly uiPort: number;
  readonly headless: boolean;
  readonly searchAttributes: readonly string[];
}): string[] {
  return [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${port}`,
    '--log-level=error',
    '--dynamic-config-value=history.transferProcessorMaxPollRPS=200',
    '--dynamic-config-value=system.enableActivityEagerExecution=true',
    // As docs/operations.md asks for: thousands of signals in one workflow task end the worker's process.
    '--dynamic-config-value=history.maximumSignalsPerExecution=500',
    ...dynamicConfiguration.map((setting) => `--dynamic-config-value=${setting}`),
    ...searchAttributes.map((name) => `--search-attribute=${name}=Keyword`),
    headless ? '--headless' : `--ui-port=${uiPort}`,
    ...(codecEndpoint ? [`--ui-codec-endpoint=${codecEndpoint}`] : []),
    ...(databaseFile ? [`--db-filename=${databaseFile}`, ...sqlitePragmas] : []),
  ];
}

async function waitUntilReady(
  address: string,
  searchAttributes: readonly string[],
  logFile: string,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = Date.now();
  for (;;) {
    signal.throwIfAborted();
    try {
      const connection = await Connection.connect({ address, connectTimeout: '1s' });
      try {
        // The server's own option takes effect only for a new database.
        await addMissingSearchAttributes(connection, 'default', searchAttributes);
        return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (Date.now() - startedAt > startTimeoutMs) {
        throw new Error(
          `The Temporal server does not answer at ${address} after ${startTimeoutMs / 1000} s.\n${logExcerpt(logFile)}`,
          { cause: error },
        );
      }
    }
    await delay(50, undefined, { signal });
  }
}
