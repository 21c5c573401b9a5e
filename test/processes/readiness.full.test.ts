import { Client as PostgresClient } from 'pg';
import { Client, Connection } from '@temporalio/client';
import { expect, it, onTestFinished } from 'vitest';
import { taskQueue } from '../../contract/registration.ts';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { startTestTemporal } from '../fixtures/temporal-server.ts';
import { startProgram } from './process-group.ts';
import { openOnPostgres, startSurroundings } from './surroundings.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: readiness of API and worker is not tested on PostgreSQL.\n');
}

it.runIf(databaseUrl)(
  'API and worker say whether they are ready, and what is wrong',
  async () => {
    const { environment, url } = await startSurroundings();
    const temporal = await startTestTemporal();
    onTestFinished(() => temporal.stop());
    const service = await openOnPostgres(databaseUrl!, environment);
    const healthPort = await findFreePort();
    const variables = {
      ...environment,
      TEMPORAL_ADDRESS: temporal.address,
      DATABASE_URL: service.databaseUrl,
      SHUTDOWN_DELAY_MS: '0',
      HEALTH_PORT: String(healthPort),
    };
    const answer = async (base: string) => {
      const response = await fetch(`${base}/readyz`);
      const { status, reasons } = (await response.json()) as { status: string; reasons: string[] };
      return { http: response.status, status, reasons };
    };
    const api = () => answer(url);
    const worker = () => answer(`http://127.0.0.1:${healthPort}`);
    const ready = { http: 200, status: 'ready', reasons: [] };
    const within = { timeout: 60_000, interval: 250 };

    await startProgram('development/run-from-source/api.ts', variables).untilOutput(/the API is listening/);
    expect(await api()).toEqual({ http: 200, status: 'degraded', reasons: ['no worker polls'] });
    const program = startProgram('development/run-from-source/worker.ts', variables);
    await expect.poll(() => worker().catch(() => undefined), within).toEqual(ready);
    await expect.poll(api, within).toEqual(ready);

    const admin = new PostgresClient({ connectionString: service.databaseUrl });
    await admin.connect();
    onTestFinished(() => admin.end());
    const execute = (text: string) => admin.query(text);
    /** What is wrong in the database, how it is brought about and mended, and the reason that both give. */
    const databaseProblems = [
      {
        begin: `update drizzle.__drizzle_migrations set hash = hash || '.'`,
        end: `update drizzle.__drizzle_migrations set hash = rtrim(hash, '.')`,
        reason: /^DATABASE_URL: the database lacks migrations/,
      },
      {
        begin: `update payload_keys set fingerprint = fingerprint || '.'`,
        end: `update payload_keys set fingerprint = rtrim(fingerprint, '.')`,
        reason: /^PAYLOAD_KEYS: not the same key as before/,
      },
      {
        begin: `alter database "${admin.database}" set default_transaction_read_only = on`,
        end: `alter database "${admin.database}" set default_transaction_read_only = off`,
        reason: /^PostgreSQL is read-only/,
      },
    ];
    const reconnect = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${admin.database}' and pid <> pg_backend_pid()`;
    for (const { begin, end, reason } of databaseProblems) {
      await execute(begin);
      await execute(reconnect);
      const unready = { http: 503, status: 'not ready', reasons: [expect.stringMatching(reason)] };
      await expect.poll(api, within).toEqual(unready);
      await expect.poll(worker, within).toEqual(unready);
      await execute('set default_transaction_read_only = off');
      await execute(end);
      await execute(reconnect);
      await expect.poll(api, within).toEqual(ready);
      await expect.poll(worker, within).toEqual(ready);
    }

    const connection = await Connection.connect({ address: temporal.address });
    onTestFinished(() => connection.close());
    await new Client({ connection }).workflow.start('no such workflow', { workflowId: 'stuck', taskQueue });
    const failing = [expect.stringMatching(/^\d+ workflow tasks failed/)];
    await expect.poll(worker, within).toEqual({ http: 503, status: 'not ready', reasons: failing });
    expect(await api()).toEqual(ready);

    await temporal.stop();
    const away = 'Temporal does not answer';
    await expect.poll(api, within).toEqual({ http: 200, status: 'degraded', reasons: [away] });
    await expect
      .poll(worker, within)
      .toMatchObject({ http: 503, status: 'not ready', reasons: expect.arrayContaining([away]) });

    program.terminate();
    expect(await program.exited).toBe(0);
  },
  300_000,
);
