import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { describeLog, startChild, unexpectedExit } from './child-process.ts';
import type { Child } from './child-process.ts';

/** Milliseconds until the server must answer. */
const startDeadline = 60_000;

/** Every commit reaches the disk before it counts. */
const sqlitePragmas = ['--sqlite-pragma=journal_mode=WAL', '--sqlite-pragma=synchronous=FULL'];

/** The number of the KEYWORD type in Temporal's protocol. */
const keywordType = 2;

/** How to run a development server. */
export interface TemporalServerOptions {
  /** See `findTemporalExecutable`. */
  readonly executable: string;
  /** Of the gRPC frontend, on 127.0.0.1. */
  readonly port: number;
  /** Of the Web UI; default: `port` + 1000. */
  readonly uiPort?: number;
  /** Without the Web UI. */
  readonly headless?: boolean;
  /** Where to keep everything; default: in memory. */
  readonly databaseFile?: string;
  /** Where the Web UI in the browser has payloads decrypted. */
  readonly codecEndpoint?: string;
  /** Default: a temporary file, removed by `stop()`. */
  readonly logFile?: string;
  /** See `endRecordedProcess`. */
  readonly recordFile?: string;
  /** Names of KEYWORD search attributes to have in the namespace `default`. */
  readonly searchAttributes?: readonly string[];
  /** The server's dynamic configuration beside our own, `key=value`. */
  readonly dynamicConfiguration?: readonly string[];
  /** Gives up the start. */
  readonly signal?: AbortSignal;
}

/** A development server that answers. */
export interface TemporalServer {
  /** Host and port of the gRPC frontend. */
  readonly address: string;
  /** Undefined when headless. */
  readonly uiUrl: string | undefined;
  readonly process: Child;
  /** Asks it to end and waits; kills it after 15 seconds or as soon as `hurry` aborts. */
  stop(hurry?: AbortSignal): Promise<void>;
}

/**
 * Starts `temporal server start-dev` and waits until its namespace `default` has the search attributes.
 *
 * @throws {ChildDiedError} when the server ends meanwhile
 * @throws {Error} when it does not answer within 60 seconds
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
  const stop = async (hurry?: AbortSignal): Promise<void> => {
    await child.stop(hurry);
    if (temporaryDirectory) await rm(temporaryDirectory, { recursive: true, force: true });
  };

  const address = `127.0.0.1:${port}`;
  const giveUp = new AbortController();
  try {
    const signals = [giveUp.signal, ...(signal ? [signal] : [])];
    await Promise.race([
      waitUntilReady(address, searchAttributes, child.logFile, AbortSignal.any(signals)),
      unexpectedExit(child),
    ]);
  } catch (error) {
    giveUp.abort();
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
        await addMissingSearchAttributes(connection, searchAttributes);
        return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (Date.now() - startedAt > startDeadline) {
        throw new Error(
          `The Temporal server does not answer at ${address} after ${startDeadline / 1000} s.\n${describeLog(logFile)}`,
          { cause: error },
        );
      }
    }
    await delay(50, undefined, { signal });
  }
}

/** The command line option only counts for a new database; a later version's attributes come to an old one here. */
async function addMissingSearchAttributes(connection: Connection, names: readonly string[]): Promise<void> {
  const namespace = 'default';
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = names.filter((name) => !(name in customAttributes));
  if (missing.length === 0) return;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, keywordType])),
  });
}
