import { execFile } from 'node:child_process';
import { access, appendFile, chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPostgres } from '../../database/database.ts';
import type { Queries } from '../../database/database.ts';
import { DatabaseRestored } from '../../database/incarnations.ts';
import { createStores } from '../../database/stores.ts';
import type { Stores } from '../../database/stores.ts';
import { createPostgresCluster } from '../../development/fault-injection/postgres.ts';
import type { PostgresCluster } from '../../development/fault-injection/postgres.ts';
import type { Child } from '../../development/sandbox/child-process.ts';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { createLog } from '../../runtime/log.ts';
import { newProject, oldKey } from '../database/stores-fixture.ts';

const run = promisify(execFile);

let directory: string;
let data: string;
let cluster: PostgresCluster;
let server: Child;

/** A cluster that archives its write-ahead log, with a copy of its data from before the tables got any rows. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recovery-'));
  await chmod(directory, 0o755);
  const archive = join(directory, 'archive');
  await mkdir(archive);
  await chmod(archive, 0o777);
  cluster = await createPostgresCluster(directory, await findFreePort());
  data = join(directory, 'postgres', 'data');
  await appendFile(
    join(data, 'postgresql.conf'),
    `archive_mode = on\narchive_command = 'cp %p ${archive}/%f'\nrestore_command = 'cp ${archive}/%f %p'\n`,
  );
  server = await start();
  await useDatabase(({ stores }) => stores.incarnations.beginFirst());
  await server.stop();
  await run('cp', ['-a', data, `${data}-backup`]);
  server = await start();
});
afterEach(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const start = () => cluster.start(join(directory, 'postgres.log'));

async function useDatabase<Result>(
  use: (database: { stores: Stores; queries: Queries }) => Promise<Result>,
): Promise<Result> {
  const database = await openPostgres(cluster.url, createLog('test', 'silent'));
  try {
    return await use({ stores: createStores(database.queries, oldKey), queries: database.queries });
  } finally {
    await database.close();
  }
}

const addProject = (stores: Stores, aspId: string) =>
  stores.projects.add({
    ...newProject,
    aspId,
    accessKey: `access key of ${aspId}`,
    secretKey: `secret key of ${aspId}`,
    cryptoKeyId: `crypto key of ${aspId}`,
  });

/** Commits something before and after a time, and archives both. @returns that time */
async function workOn(): Promise<Date> {
  return await useDatabase(async ({ stores, queries }) => {
    await addProject(stores, 'BEFORETHETIME01');
    const time = await stores.ledger.now();
    await addProject(stores, 'AFTERTHETIME001');
    const { rows } = (await queries.execute(sql`select pg_walfile_name(pg_switch_wal()) as segment`)) as {
      rows: [{ segment: string }];
    };
    await vi.waitFor(() => access(join(directory, 'archive', rows[0].segment)), 30_000);
    return time;
  });
}

/** Loses the data, and starts a server from the backup and the archive, which then takes over. */
async function recover(settings: string): Promise<void> {
  await server.stop();
  await rename(data, `${data}-lost`);
  await run('cp', ['-a', `${data}-backup`, data]);
  await appendFile(join(data, 'postgresql.conf'), settings);
  await writeFile(join(data, 'recovery.signal'), '');
  server = await start();
  await untilPrimary();
}

async function untilPrimary(): Promise<void> {
  await vi.waitFor(() => run('psql', ['-d', cluster.url, '-c', 'create temporary table present ()']), 30_000);
}

describe('a database that is', () => {
  it('recovered to a point in time is noticed, whatever DATABASE_FAILOVER says', async () => {
    const time = await workOn();
    const target = time.toISOString().replace('T', ' ').replace('Z', '+00');
    await recover(`recovery_target_time = '${target}'\nrecovery_target_action = promote\n`);
    await useDatabase(async ({ stores }) => {
      expect(await stores.projects.find('BEFORETHETIME01')).toBeDefined();
      expect(await stores.projects.find('AFTERTHETIME001')).toBeUndefined();
      await expect(stores.incarnations.requireKnown()).rejects.toThrow(DatabaseRestored);
      expect(await stores.incarnations.look('asynchronous')).toBe('RESTORED');
      expect(await stores.incarnations.look('synchronous')).toBe('RESTORED');
      await stores.incarnations.begin(time);
      expect(await stores.incarnations.requireKnown()).toMatchObject({ restoredTo: time });
    });
  });

  it('taken over by a standby goes on where DATABASE_FAILOVER says that this loses nothing', async () => {
    await workOn();
    await recover('');
    await useDatabase(async ({ stores }) => {
      expect(await stores.projects.find('AFTERTHETIME001')).toBeDefined();
      await expect(stores.incarnations.requireKnown()).rejects.toThrow(DatabaseRestored);
      expect(await stores.incarnations.look('asynchronous')).toBe('RESTORED');
      expect(await stores.incarnations.look('synchronous')).toBe('FAILED_OVER');
      expect(await stores.incarnations.requireKnown()).toBeUndefined();
    });
  });
});
