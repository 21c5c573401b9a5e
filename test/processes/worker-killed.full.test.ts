import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFailed, onTestFinished } from 'vitest';
import { createApp } from '../../api/app.ts';
import { listen } from '../../api/http/server.ts';
import { sandboxLimits } from '../fixtures/stack.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import type { Project } from '../fixtures/wire-client.ts';
import { patientPolicy } from './patient-policy.ts';
import { startProgram } from './process-group.ts';
import type { ProcessGroup } from './process-group.ts';
import { expectRegisteredOnce, registerMany } from './registrations.ts';
import { openOnPostgres, startSurroundings } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: the worker is killed on PGlite, not on PostgreSQL.\n');
}

/**
 * Moments of the kills, in ms after the worker is up: different ones in every run. `KILL_MOMENTS=12,340,999` repeats a
 * run.
 */
const killMoments =
  process.env['KILL_MOMENTS']?.split(',').map(Number) ?? [1, 2, 3].map(() => randomInt(1_500));

/** A service whose worker can be killed. */
interface Service {
  readonly url: string;
  /** The URL for registrations. */
  readonly registrationUrl: string;
  readonly project: Project;
  /** Starts the worker, and waits until it is up. */
  startWorker(): Promise<ProcessGroup>;
}

it('50 registrations end, each made once, although the worker is killed repeatedly', async () => {
  onTestFailed(() => void process.stdout.write(`KILL_MOMENTS=${killMoments.join(',')}\n`));
  const surroundings = await startSurroundings();
  const service = await (databaseUrl
    ? startOnPostgres(databaseUrl, surroundings)
    : startSandboxService(surroundings));
  let worker = await service.startWorker();
  const accepted = await registerMany(service.registrationUrl, service.project, 0, 50);
  for (const moment of killMoments) {
    // The moment is random, and so is what the worker is doing.
    await delay(moment);
    await worker.kill();
    worker = await service.startWorker();
  }
  await expectRegisteredOnce(service.url, surroundings.simulatorUrl, service.project, accepted);
  worker.terminate();
  expect(await worker.exited).toBe(0);
}, 240_000);

/**
 * API and worker as in production, on PostgreSQL; the worker is what can be killed. Registrations are taken by another
 * API in this process, which gives them waits shorter than those of production.
 */
async function startOnPostgres(serverUrl: string, { url, environment }: Surroundings): Promise<Service> {
  const service = await openOnPostgres(serverUrl, environment);
  const impatientApi = createApp({
    ...service,
    policy: patientPolicy,
    timeWindow: 60_000,
    limits: sandboxLimits,
    codec: { allowedOrigin: environment.CODEC_ALLOWED_ORIGIN },
  });
  const server = await listen(impatientApi, { port: 0, host: '127.0.0.1' });
  onTestFinished(() => server.close());

  const variables = { ...environment, DATABASE_URL: service.databaseUrl };
  await startProgram('development/run-from-source/api.ts', variables).untilOutput(/the API is listening/);
  return {
    url,
    registrationUrl: `http://127.0.0.1:${server.port}`,
    project: service.projects[0],
    async startWorker() {
      const worker = startProgram('development/run-from-source/worker.ts', variables);
      await worker.untilOutput(/the worker is running/);
      return worker;
    },
  };
}

/** API, worker and embedded database in one process, all of which is killed. */
async function startSandboxService({ url, environment }: Surroundings): Promise<Service> {
  const variables = { ...environment, DATA_DIR: temporaryDirectory() };
  const startWorker = async () => {
    const service = startProgram('test/processes/patient-service.ts', variables);
    await service.untilOutput(/the service is up/);
    return service;
  };
  const first = await startWorker();
  const credentials = await fetch(`${url}/sandbox/credentials`);
  const { projects } = (await credentials.json()) as { projects: Project[] };
  await first.kill();
  return { url, registrationUrl: url, project: projects[0]!, startWorker };
}
