import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { startTestTemporal } from '../fixtures/temporal-server.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';
import { startProgram } from './process-group.ts';
import { openOnPostgres, startSurroundings } from './surroundings.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: API and worker do not lose Temporal.\n');
}

/** How long Temporal is stopped, in seconds. docs/measurements.md has ten minutes. */
const outage = Number(process.env['OUTAGE_SECONDS'] ?? 20);

it.runIf(databaseUrl)(
  'after an outage of Temporal the API accepts registrations, and the worker continues',
  async () => {
    const { environment, url } = await startSurroundings();
    const port = await findFreePort();
    const databaseFile = `${temporaryDirectory()}/temporal.db`;
    const first = await startTestTemporal({ port, databaseFile });
    const service = await openOnPostgres(databaseUrl!, {
      ...environment,
      TEMPORAL_ADDRESS: first.address,
    });
    const [project] = service.projects;
    const variables = {
      ...environment,
      TEMPORAL_ADDRESS: first.address,
      SHUTDOWN_DELAY_MS: '0',
      CALLING_HOURS: 'always',
      DATABASE_URL: service.databaseUrl,
    };
    const api = startProgram('development/run-from-source/api.ts', variables);
    const worker = startProgram('development/run-from-source/worker.ts', variables);
    await api.untilOutput(/the API is listening/);
    await worker.untilOutput(/the worker is running/);
    let member = 0;
    const register = () => call(url, project, '/ars/register', registration(project, member++ % 100));
    const before = await register();
    expect(before.body).toMatchObject({ response: { code: '000_000' } });
    await untilEnded(url, project, String(before.body['bankAccRegNo']));

    await first.stop();
    for (const end = performance.now() + outage * 1_000; performance.now() < end; await delay(5_000)) {
      expect((await register()).body).toMatchObject({ response: { code: '000_991' } });
    }
    const second = await startTestTemporal({ port, databaseFile });
    onTestFinished(() => second.stop());
    const back = performance.now();
    let accepted = await register();
    while (accepted.body.response.code !== '000_000') {
      await delay(100);
      accepted = await register();
    }
    const acceptedAfter = performance.now() - back;
    const ended = await untilEnded(url, project, String(accepted.body['bankAccRegNo']));
    const endedAfter = performance.now() - back;
    process.stdout.write(
      `Temporal was away for ${outage} s; accepted after ${Math.round(acceptedAfter)} ms, ended after ${Math.round(endedAfter)} ms\n`,
    );
    expect(ended.body).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
  },
  (outage + 240) * 1_000,
);
