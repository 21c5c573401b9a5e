import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'undici';
import { searchAttributeNames } from '../contract/search-attributes.ts';
import { startChild } from '../sandbox/child-process.ts';
import { findFreePort } from '../sandbox/ports.ts';
import { projectDirectory } from '../sandbox/project-directory.ts';
import { findTemporalExecutable } from '../sandbox/temporal-executable.ts';
import { startTemporalServer } from '../sandbox/temporal-server.ts';
import { createSimulator } from '../simulator/simulator.ts';
import type { Project } from './wire-client.ts';
import type { TriedService } from './fuzz/wire-properties.ts';

/** What a process has of memory, in bytes. */
export interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

/** The sandbox's service in a process of its own, so that its memory is not that of whoever tries it. */
export interface SeparateService extends TriedService {
  /** Collects the garbage and tells what is left. */
  memory(): Promise<Memory>;
  /** All that the process has written. */
  output(): Promise<string>;
  stop(): Promise<void>;
}

/** Milliseconds until the service must be up. */
const startDeadline = 120_000;

/**
 * Starts the service with all that it needs on free ports.
 * @param settings of its environment, beside what it must have
 */
export async function startSeparateService(
  log: (message: string) => void,
  settings: Readonly<Record<string, string>> = {},
): Promise<SeparateService> {
  const directory = await mkdtemp(join(tmpdir(), 'fuzz-'));
  const temporalServer = await startTemporalServer({
    executable: await findTemporalExecutable({ log }),
    port: await findFreePort(),
    headless: true,
    searchAttributes: searchAttributeNames,
  });
  const paymentGatewaySecret = randomBytes(32).toString('hex');
  const simulator = createSimulator({
    dataDirectory: join(directory, 'simulator'),
    sharedSecret: paymentGatewaySecret,
  });
  const { url: simulatorUrl } = await simulator.start(0);
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const [databaseKeys, payloadKeys] = [key(), key()];
  const logFile = join(directory, 'service.log');
  const child = await startChild({
    name: 'service',
    executable: process.execPath,
    arguments: ['--inspect=127.0.0.1:0', '--import', 'tsx', join(projectDirectory, 'sandbox', 'service.ts')],
    environment: {
      ...settings,
      PORT: String(port),
      DATA_DIR: directory,
      DATABASE_KEYS: databaseKeys,
      PAYLOAD_KEYS: payloadKeys,
      TEMPORAL_ADDRESS: temporalServer.address,
      PG_BASE_URL: simulatorUrl,
      PG_SHARED_SECRET: paymentGatewaySecret,
      PG_CALLBACK_URL: `${url}/pg/callbacks`,
      CODEC_ALLOWED_ORIGIN: 'http://localhost:8233',
    },
    logFile,
  });
  const output = () => readFile(logFile, 'utf8');
  const stop = async () => {
    await child.stop();
    await simulator.stop();
    await temporalServer.stop();
    await rm(directory, { recursive: true, force: true });
  };

  const startedAt = Date.now();
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) {
    if (Date.now() - startedAt > startDeadline) throw new Error(`The service is not up:\n${await output()}`);
    await delay(200);
  }
  const credentials = await fetch(`${url}/sandbox/credentials`);
  const { projects } = (await credentials.json()) as { projects: [Project, Project] };
  const [, inspectorUrl = ''] = /Debugger listening on (ws:\S+)/.exec(await output()) ?? [];
  return {
    url,
    projects,
    secrets: { paymentGatewaySecret, databaseKeys, payloadKeys },
    output,
    stop,
    memory: () => readMemory(inspectorUrl),
  };
}

function key(): string {
  return `fuzz:${randomBytes(32).toString('base64')}`;
}

/** Asks the process by its inspector, so that the service needs nothing for it. */
async function readMemory(inspectorUrl: string): Promise<Memory> {
  const socket = new WebSocket(inspectorUrl);
  await once(socket, 'open');
  let lastId = 0;
  const ask = async (askedMethod: string, params: object = {}) => {
    const id = ++lastId;
    socket.send(JSON.stringify({ id, method: askedMethod, params }));
    for (;;) {
      const [{ data }] = (await once(socket, 'message')) as [{ data: string }];
      const message = JSON.parse(data) as { id?: number; result: { result: { value: Memory } } };
      if (message.id === id) return message.result;
    }
  };
  await ask('HeapProfiler.collectGarbage');
  const { result } = await ask('Runtime.evaluate', {
    expression: 'process.memoryUsage()',
    returnByValue: true,
  });
  socket.close();
  return result.value;
}
