import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { openService } from '../../composition/open-service.ts';
import type { Service } from '../../composition/open-service.ts';
import { openPostgres } from '../../database/database.ts';
import {
  listedMembers,
  loadCredentials,
  publicCredentials,
  seed,
} from '../../development/sandbox/credentials.ts';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { createSimulator } from '../../development/simulator/simulator.ts';
import { createLog } from '../../runtime/log.ts';
import { issueToken } from '../fixtures/bearer-token.ts';
import { createFreshPostgres } from '../fixtures/fresh-postgres.ts';
import { startTestTemporal } from '../fixtures/temporal-server.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import type { Project } from '../fixtures/wire-client.ts';

const key = () => `test:${randomBytes(32).toString('base64')}`;

/** What a service's processes have around them. */
export type Surroundings = Awaited<ReturnType<typeof startSurroundings>>;

/** A Temporal server, a payment gateway, and what the service's environment says of them. They end with the test. */
export async function startSurroundings() {
  const sharedSecret = randomBytes(32).toString('hex');
  const temporalServer = await startTestTemporal();
  onTestFinished(() => temporalServer.stop());
  const simulator = createSimulator({ dataDirectory: temporaryDirectory(), sharedSecret });
  const { url: simulatorUrl } = await simulator.start(0);
  onTestFinished(() => simulator.stop());
  const port = await findFreePort();
  const environment = {
    NODE_ENV: 'development',
    PORT: String(port),
    HOST: '127.0.0.1',
    METRICS_HOST: '127.0.0.1',
    DATABASE_KEYS: key(),
    PAYLOAD_KEYS: key(),
    TEMPORAL_ADDRESS: temporalServer.address,
    PG_BASE_URL: simulatorUrl,
    PG_SHARED_SECRET: sharedSecret,
    PG_CALLBACK_URL: `http://127.0.0.1:${port}/pg/callbacks`,
    CODEC_ALLOWED_ORIGIN: 'http://localhost:8233',
    CODEC_TOKENS: issueToken().setting,
    OPERATOR_TOKENS: issueToken().setting,
  };
  return { url: `http://127.0.0.1:${port}`, simulatorUrl, environment };
}

/** A service on PostgreSQL in the test’s own process, with the database that other processes share. */
export interface ServiceOnPostgres extends Service {
  readonly databaseUrl: string;
  readonly projects: readonly [Project, Project];
}

/** Opens a service on a new database with the sandbox’s projects. It ends with the test. */
export async function openOnPostgres(
  serverUrl: string,
  environment: Surroundings['environment'],
): Promise<ServiceOnPostgres> {
  const fresh = await createFreshPostgres(serverUrl);
  onTestFinished(() => fresh.drop());
  const service = await openAnother(fresh.url, environment);
  const credentials = await loadCredentials(`${temporaryDirectory()}/credentials.json`);
  await seed(service.stores, credentials, listedMembers);
  const projects = publicCredentials(credentials).projects as unknown as [Project, Project];
  return { ...service, databaseUrl: fresh.url, projects };
}

/** Opens a service on a database that there is. It ends with the test. */
export async function openAnother(
  databaseUrl: string,
  environment: Surroundings['environment'],
): Promise<Service> {
  const log = createLog('test', 'silent');
  const service = await openService(environment, {
    log,
    openDatabase: () => openPostgres(databaseUrl, log),
    temporalConnection: {
      connectionOptions: { address: environment.TEMPORAL_ADDRESS },
      namespace: 'default',
    },
  });
  onTestFinished(() => service.close());
  return service;
}
