import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { searchAttributeNames } from '../../contract/search-attributes.ts';
import { createDatabaseWitness } from '../../composition/database-witness.ts';
import { openService } from '../../composition/open-service.ts';
import { createStores } from '../../database/stores.ts';
import { openPostgres } from '../../database/database.ts';
import { migrateDatabase } from '../../database/migrate.ts';
import { createPayloadKeys } from '../../database/payload-keys.ts';
import { findFreePort } from '../../development/sandbox/ports.ts';
import type { TemporalServer } from '../../development/sandbox/temporal-server.ts';
import { createDataConverter } from '../../encryption/data-converter.ts';
import type { TemporalContext } from '../../operator/command.ts';
import { runOperatorCommand } from '../../operator/run.ts';
import { ConfigurationError } from '../../runtime/config.ts';
import { createLog } from '../../runtime/log.ts';
import { requireNamespace } from '../../runtime/temporal-namespace.ts';
import { ensureSchedules, keepEnsuringSchedules, schedules } from '../../composition/schedules.ts';
import { issueToken } from '../fixtures/bearer-token.ts';
import { openEmptyDatabase } from '../fixtures/empty-database.ts';
import { createFreshPostgres } from '../fixtures/fresh-postgres.ts';
import { startTestTemporal } from '../fixtures/temporal-server.ts';
import { startProgram } from './process-group.ts';

const databaseUrl = process.env['DATABASE_URL'];
const programs = ['development/run-from-source/api.ts', 'development/run-from-source/worker.ts'];
const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

/** Its namespace has no search attribute. */
let temporal: TemporalServer;
let connection: Connection;
beforeAll(async () => {
  temporal = await startTestTemporal({ searchAttributes: [] });
  connection = await Connection.connect({ address: temporal.address });
});
afterAll(async () => {
  await connection.close();
  await temporal.stop();
});

async function environment(overrides: Readonly<Record<string, string>>) {
  return {
    NODE_ENV: 'development',
    PORT: String(await findFreePort()),
    HOST: '127.0.0.1',
    DATABASE_KEYS: key('database'),
    PAYLOAD_KEYS: key('payload'),
    PG_BASE_URL: 'http://127.0.0.1:9',
    PG_SHARED_SECRET: randomBytes(32).toString('hex'),
    PG_CALLBACK_URL: 'http://127.0.0.1:9/pg/callbacks',
    CODEC_ALLOWED_ORIGIN: 'http://localhost:8233',
    CODEC_TOKENS: issueToken().setting,
    OPERATOR_TOKENS: issueToken().setting,
    TEMPORAL_ADDRESS: temporal.address,
    ...overrides,
  };
}

/** Tests may run in any order, so the schedules may be there or not. */
async function deleteSchedules({ schedule }: Client): Promise<void> {
  for (const { scheduleId } of schedules) {
    await schedule
      .getHandle(scheduleId)
      .delete()
      .catch(() => {});
  }
}

/** Carries out `operator setup` for a namespace. */
function setUp(namespace: string, ...options: readonly string[]) {
  return setUpWith(undefined, namespace, ...options);
}

/** Also looks at what the settings name. */
async function setUpWith(
  settings: TemporalContext['settings'],
  namespace: string,
  ...options: readonly string[]
) {
  const lines: string[] = [];
  const exitCode = await runOperatorCommand(['setup', ...options], {
    print: (line) => lines.push(line),
    printError: (line) => lines.push(line),
    openTemporal: () => ({ temporal: new Client({ connection, namespace }), settings }),
    openAll: () => Promise.reject(new Error('needs no database')),
  });
  return { exitCode, output: lines.join('\n') };
}

describe('what does not answer is waited for', () => {
  it.for(programs)('by %s: PostgreSQL; SIGTERM ends the wait', async (file) => {
    const variables = await environment({ DATABASE_URL: 'postgres://127.0.0.1:9/nothing' });
    const program = startProgram(file, variables);
    const waiting = program.untilOutput(/waiting for PostgreSQL \(DATABASE_URL\), which does not answer/);
    expect(
      await waiting.then(
        () => 'waits',
        () => 'ended',
      ),
    ).toBe('waits');
    program.terminate();
    expect(await program.exited).toBe(0);
  });

  it('by the API, which is alive meanwhile and not ready', async () => {
    const variables = await environment({ DATABASE_URL: 'postgres://127.0.0.1:9/nothing' });
    await startProgram('development/run-from-source/api.ts', variables).untilOutput(/waiting for PostgreSQL/);
    const statusOf = async (path: string) =>
      (await fetch(`http://127.0.0.1:${variables.PORT}${path}`)).status;
    const paths = ['/healthz', '/readyz', '/api/v1/bankaccounts/inquiry'];
    expect(await Promise.all(paths.map(statusOf))).toEqual([200, 503, 503]);
  });

  // Needs a PostgreSQL, which DATABASE_URL names.
  it.skipIf(!databaseUrl)('by the worker: Temporal, and then it takes work', async () => {
    const fresh = await createFreshPostgres(databaseUrl!);
    onTestFinished(() => fresh.drop());
    const port = await findFreePort();
    const program = startProgram(
      'development/run-from-source/worker.ts',
      await environment({ DATABASE_URL: fresh.url, TEMPORAL_ADDRESS: `127.0.0.1:${port}` }),
    );
    await program.untilOutput(/waiting for Temporal at 127\.0\.0\.1:\d+, which does not answer/);
    const late = await startTestTemporal({ port });
    onTestFinished(() => late.stop());
    await program.untilOutput(/the worker is running/);
    program.terminate();
    expect(await program.exited).toBe(0);
  });
});

describe('a namespace', () => {
  // Needs a PostgreSQL, too.
  it.skipIf(!databaseUrl).for(programs)('that does not exist keeps %s from starting', async (file) => {
    const fresh = await createFreshPostgres(databaseUrl!);
    onTestFinished(() => fresh.drop());
    const program = startProgram(
      file,
      await environment({ DATABASE_URL: fresh.url, TEMPORAL_NAMESPACE: 'nowhere' }),
    );
    expect(await program.exited).toBe(1);
    expect(program.output()).toContain(
      'TEMPORAL_NAMESPACE: Temporal has no namespace nowhere. Create it: npm run operator -- setup',
    );
    expect(program.output()).not.toMatch(/^\s+at /m);
  });

  it('that lacks search attributes is refused, until operator setup has added them', async () => {
    const refusal = requireNamespace(connection, 'default').catch((error: unknown) => error);
    expect(await refusal).toBeInstanceOf(ConfigurationError);
    expect((await refusal) as Error).toMatchObject({
      message: `TEMPORAL_NAMESPACE: the namespace default lacks search attributes: ${searchAttributeNames.join(', ')}. Add them: npm run operator -- setup`,
    });
    expect(await setUp('default')).toMatchObject({ exitCode: 0 });
    await requireNamespace(connection, 'default');
    expect(await setUp('default')).toMatchObject({ exitCode: 0 });
  });

  it('is created by operator setup, with its retention; a shorter one is extended, a longer one stays', async () => {
    const namespace = 'brand-new';
    const retention = async () => {
      const { config } = await connection.workflowService.describeNamespace({ namespace });
      return config?.workflowExecutionRetentionTtl?.seconds?.toNumber();
    };
    const day = 24 * 60 * 60;
    expect(await setUp(namespace, '--retention-days', '2')).toMatchObject({ exitCode: 2 });
    expect(await setUp(namespace, '--retention-days', '3')).toMatchObject({ exitCode: 0 });
    expect(await retention()).toBe(3 * day);
    await requireNamespace(connection, namespace);
    expect(await setUp(namespace, '--retention-days', '5')).toMatchObject({ exitCode: 0 });
    expect(await retention()).toBe(5 * day);
    expect(await setUp(namespace, '--retention-days', '4')).toMatchObject({ exitCode: 0 });
    expect(await retention()).toBe(5 * day);
  });

  it('is only looked at by operator setup --check, and so are the schedules', async () => {
    const namespace = 'looked-at';
    const missing = await setUp(namespace, '--check');
    expect(missing).toMatchObject({ exitCode: 1, output: expect.stringContaining('has no namespace') });
    await expect(requireNamespace(connection, namespace)).rejects.toThrow('has no namespace');
    expect(await setUp(namespace)).toMatchObject({ exitCode: 0 });
    expect(await setUp(namespace, '--check')).toMatchObject({ exitCode: 0 });
    await deleteSchedules(new Client({ connection, namespace }));
    const { exitCode, output } = await setUp(namespace, '--check');
    expect({ exitCode, output }).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(/^schedules: /m),
    });
    expect(output).toContain('purge-expired-evidence, reconciliation missing');
  });

  it('with a search attribute of another type is refused with the command that removes it', async () => {
    const namespace = 'other-type';
    expect(await setUp(namespace)).toMatchObject({ exitCode: 0 });
    await connection.operatorService.removeSearchAttributes({ namespace, searchAttributes: ['BankCode'] });
    const { INDEXED_VALUE_TYPE_INT } = proto.temporal.api.enums.v1.IndexedValueType;
    const searchAttributes = { BankCode: INDEXED_VALUE_TYPE_INT };
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    await expect
      .poll(() => requireNamespace(connection, namespace).catch((error: Error) => error.message))
      .toContain(
        'temporal operator search-attribute remove --namespace other-type --name BankCode --yes && npm run operator -- setup',
      );
  });
});

// Needs a PostgreSQL, which DATABASE_URL names.
it.skipIf(!databaseUrl)(
  'operator setup looks at the tables, the payload keys, the deployment version and the clocks',
  async () => {
    const fresh = await createFreshPostgres(databaseUrl!, { migrates: false });
    onTestFinished(() => fresh.drop());
    const hour = 60 * 60_000;
    const gateway = createServer((_, response) => {
      response.setHeader('Date', new Date(Date.now() - hour).toUTCString()).end();
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void gateway.close());
    await once(gateway, 'listening');
    const settings = {
      PAYLOAD_KEYS: key('first'),
      DATABASE_URL: fresh.url,
      PG_BASE_URL: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
      TEMPORAL_DEPLOYMENT_NAME: 'km',
      TEMPORAL_BUILD_ID: 'v1',
    };
    const lines = async (changed: Partial<typeof settings> = {}) =>
      (await setUpWith({ ...settings, ...changed }, 'surrounded')).output.split('\n');
    expect(await lines()).toEqual([
      'namespace surrounded: ok',
      'The namespace surrounded has all that the service needs.',
      'schedules: ok',
      'deployment version: no worker of km has started yet. Start one, then repeat this command',
      'database and payload keys: DATABASE_URL: the database lacks migrations of this version. Run them as the owner of the tables: npm run migrate',
      'clock of the database: ok',
      'clock of the payment gateway: it is 3600 s behind ours. Synchronise both: timedatectl set-ntp true',
      'Not all is set up: deployment version, database and payload keys, clock of the payment gateway.',
    ]);
    await migrateDatabase(fresh.url);
    const database = await openPostgres(fresh.url, createLog('test', 'silent'));
    onTestFinished(() => database.close());
    await createPayloadKeys(database.queries).requireSame(settings.PAYLOAD_KEYS);
    expect(await lines()).toContain('database and payload keys: ok');
    const others = await lines({ PAYLOAD_KEYS: key('first') });
    expect(others.join()).toContain('PAYLOAD_KEYS: not the same key as before under the ID first');
  },
);

it('a payload key that differs from the one used before under its ID is refused', async () => {
  const database = await openEmptyDatabase();
  onTestFinished(() => database.close());
  const [first, second] = [key('first'), key('second')];
  const { payloadKeys } = createStores(database.queries, key('database'));
  await payloadKeys.requireSame(first);
  await payloadKeys.requireSame(`${second},${first}`);
  await payloadKeys.requireSame(second);
  const refusal = payloadKeys.requireSame(`${second},${key('first')}`);
  await expect(refusal).rejects.toThrow(/^PAYLOAD_KEYS: not the same key as before under the ID first\./);
});

describe('the schedules', () => {
  it('that are encrypted with a missing payload key keep the worker from starting', async () => {
    const namespace = 'default';
    const clientWith = (payloadKeys: string) =>
      new Client({ connection, namespace, dataConverter: createDataConverter(payloadKeys) });
    await deleteSchedules(clientWith(key('any')));
    const old = key('old');
    await ensureSchedules(clientWith(old));
    await expect(ensureSchedules(clientWith(key('new')))).rejects.toThrow(
      /^PAYLOAD_KEYS lacks the key old, with which the schedule .+ is encrypted/,
    );
    await ensureSchedules(clientWith(`${key('newer')},${old}`));
  });

  it('of the database’s mark, encrypted with a missing payload key, keeps API and worker from starting', async () => {
    const namespace = 'marked';
    await setUp(namespace);
    const open = async (payloadKeys: string) => {
      const variables = await environment({ DATABASE_KEYS: key('database'), PAYLOAD_KEYS: payloadKeys });
      const opened = await openService(variables, {
        log: createLog('test', 'silent'),
        openDatabase: openEmptyDatabase,
        temporalConnection: { connectionOptions: { address: temporal.address }, namespace },
      });
      onTestFinished(() => opened.close());
      return opened;
    };
    const [first, second] = [key('first'), key('second')];
    const service = await open(first);
    expect(await createDatabaseWitness(service.temporal).read()).toBeDefined();
    await expect(open(second)).rejects.toThrow(
      /^PAYLOAD_KEYS lacks the key first, with which the schedule database-mark is encrypted/,
    );
    await open(`${second},${first}`);
  });

  it('are created again where they have disappeared, while the worker runs', async () => {
    const client = new Client({ connection, dataConverter: createDataConverter(key('payload')) });
    await deleteSchedules(client);
    const handle = client.schedule.getHandle(schedules[0]!.scheduleId);
    const stop = keepEnsuringSchedules({ temporal: client, log: createLog('test', 'silent') }, 100);
    onTestFinished(stop);
    const exists = () =>
      handle.describe().then(
        () => true,
        () => false,
      );
    await expect.poll(exists, { timeout: 10_000 }).toBe(true);
  });
});
