import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrateDatabase } from '../../database/migrate.ts';
import { openPostgres } from '../../database/database.ts';
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
let cluster: PostgresCluster;
let server: Child;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recovery-'));
  await chmod(directory, 0o711);
  cluster = await createPostgresCluster(directory, await findFreePort());
  server = await start();
  await migrateDatabase(cluster.url);
  await useDatabase((stores) => stores.incarnations.beginFirst());
  await useDatabase((stores) => stores.rowSeals.createKey());
});
afterEach(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const start = () => cluster.start(join(directory, 'postgres.log'));

async function useDatabase<Result>(use: (stores: Stores) => Promise<Result>): Promise<Result> {
  const database = await openPostgres(cluster.url, createLog('test', 'silent'));
  try {
    return await use(createStores(database.queries, oldKey));
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

/** Commits something before and after a time. @returns that time */
async function workOn(): Promise<Date> {
  return await useDatabase(async (stores) => {
    await addProject(stores, 'BEFORETHETIME01');
    const time = await stores.ledger.now();
    await addProject(stores, 'AFTERTHETIME001');
    return time;
  });
}

async function recover(to?: Date): Promise<void> {
  await server.stop();
  await cluster.recover(to);
  server = await start();
}

describe('a database that is', () => {
  it('recovered to a point in time is noticed, whatever DATABASE_FAILOVER says', async () => {
    const time = await workOn();
    await recover(time);
    await useDatabase(async (stores) => {
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
    await recover();
    await useDatabase(async (stores) => {
      expect(await stores.projects.find('AFTERTHETIME001')).toBeDefined();
      await expect(stores.incarnations.requireKnown()).rejects.toThrow(DatabaseRestored);
      expect(await stores.incarnations.look('asynchronous')).toBe('RESTORED');
      expect(await stores.incarnations.look('synchronous')).toBe('FAILED_OVER');
      expect(await stores.incarnations.requireKnown()).toBeUndefined();
    });
  });

  it('put back by a snapshot of its disk keeps cluster and timeline, and is noticed all the same', async () => {
    const data = join(directory, 'postgres', 'data');
    const snapshot = `${data}-snapshot`;
    await server.stop();
    await run('cp', ['-a', data, snapshot]);
    server = await start();
    const time = await workOn();
    await useDatabase((stores) => stores.incarnations.requireKnown());
    await server.stop();
    await rm(data, { recursive: true });
    await rename(snapshot, data);
    server = await start();
    await useDatabase(async (stores) => {
      expect(await stores.projects.find('AFTERTHETIME001')).toBeUndefined();
      await expect(stores.incarnations.requireKnown()).rejects.toThrow(DatabaseRestored);
      expect(await stores.incarnations.look('synchronous')).toBe('RESTORED');
      await stores.incarnations.begin(time);
      expect(await stores.incarnations.requireKnown()).toMatchObject({ restoredTo: time });
    });
  });

  it('killed and started again is the one that was known', async () => {
    await workOn();
    await useDatabase((stores) => stores.incarnations.requireKnown());
    await server.kill();
    server = await start();
    await useDatabase(async (stores) => {
      expect(await stores.incarnations.look('asynchronous')).toBe('KNOWN');
      expect(await stores.projects.find('AFTERTHETIME001')).toBeDefined();
    });
  });
});
