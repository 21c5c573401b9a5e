import { randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openPostgres } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { inspectDatabase } from '../../database/inspection.ts';
import { migrateDatabase, roleOf } from '../../database/migrate.ts';
import { createStores } from '../../database/stores.ts';
import { destroyErasedKeys, freeDeleted } from '../../database/vacuum.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { openPglite } from '../../development/sandbox/embedded-database.ts';
import { createLog } from '../../runtime/log.ts';
import { createFreshPostgres } from '../fixtures/fresh-postgres.ts';
import { erasure, newProject, oldKey } from './stores-fixture.ts';

const databaseUrl = process.env['DATABASE_URL'];
const log = createLog('test', 'silent');

/** A new database, opened as a process of the service opens it. */
const openings: Record<string, () => Promise<Database>> = {
  PGlite: async () => openPglite({ loadDataDir: await openAsBlob(inject('emptyDatabase')) }, 'service'),
};
if (databaseUrl) openings['PostgreSQL'] = async () => openPostgres((await freshWithRole()).serviceUrl, log);

/** A database whose owner is no superuser. They end with the test file. */
async function freshWithRole() {
  const [owner, role] = ['owner', 'service'].map((name) => `${name}_${randomBytes(4).toString('hex')}`);
  const fresh = await createFreshPostgres(databaseUrl!, { migrates: false });
  cleanups.push(() => fresh.drop(role!, owner!));
  await asSuperuser(
    fresh.url,
    `create role ${owner} login createrole; grant create on database ${new URL(fresh.url).pathname.slice(1)} to ${owner}; alter schema public owner to ${owner}`,
  );
  const [ownerUrl, serviceUrl] = [owner!, role!].map((user) => {
    const url = new URL(fresh.url);
    url.username = user;
    return url.href;
  }) as [string, string];
  await expect(openPostgres(ownerUrl, log)).rejects.toThrow(
    'DATABASE_URL: the database lacks migrations of this version. Run them as the owner of the tables: npm run migrate',
  );
  for (let time = 0; time < 2; time++) await migrateDatabase(ownerUrl, roleOf(serviceUrl, ownerUrl));
  return { fresh, role: role!, ownerUrl, serviceUrl };
}

async function asSuperuser(url: string, statements: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statements);
  await client.end();
}

const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const clean of cleanups) await clean();
});

describe.each(Object.entries(openings))('on %s the role of the processes', (_, open) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  it.for([
    ['changes', sql`update audit_trail set actor = 'lee'`],
    ['deletes from', sql`delete from audit_trail`],
    ['empties', sql`truncate audit_trail`],
    ['takes the key of', sql`delete from audit_trail_keys`],
    ['drops', sql`drop table audit_trail`],
    ['disables the trigger of', sql`alter table audit_trail disable trigger all`],
    ['drops the trigger of', sql`drop trigger audit_trail_is_append_only on audit_trail`],
    [
      'adds a trigger to',
      sql`create trigger forged before insert on audit_trail execute function pg_catalog.suppress_redundant_updates_trigger()`,
    ],
    ['takes', sql`alter table audit_trail owner to current_user`],
    ['switches off triggers for', sql`set session_replication_role = replica`],
  ] as const)('never %s the audit trail', async ([, statement]) => {
    await expect(database.queries.execute(statement)).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/^(permission denied|must be owner of)/) },
    });
  });

  it('does all the work of the service', async () => {
    const stores = createStores(database.queries, oldKey);
    await stores.incarnations.beginFirst();
    await stores.rowSeals.createKey();
    const member = inventMember('4711');
    await stores.act(
      { name: 'kim', origin: 'test' },
      async ({ projects, members }) => {
        await projects.add({ ...newProject, aspId: 'TESTASP00000001', accessKey: 'a', cryptoKeyId: 'c' });
        await members.add('TESTASP00000001', [member]);
      },
      () => ({ action: 'project add' }),
    );
    expect(await stores.incarnations.requireKnown()).toBeUndefined();
    expect(await stores.members.erase('TESTASP00000001', member.userId, erasure)).toEqual({
      state: 'ERASED',
    });
    // PostgreSQL's own autovacuum may be reading the table.
    await expect
      .poll(() => destroyErasedKeys(database), { timeout: 30_000 })
      .toEqual({ destroyed: 1, left: 0 });
    expect(await freeDeleted(database)).toBe(true);
    // PostgreSQL reports a VACUUM a moment later.
    await expect.poll(() => freeDeleted(database), { timeout: 30_000 }).toBe(false);
    expect(await stores.auditTrail.verify()).toMatchObject({ state: 'INTACT', head: { sequence: 1 } });
  });
});

// Needs a PostgreSQL, which DATABASE_URL names.
it.skipIf(!databaseUrl)('no other schema and no row policy hides rows from the processes', async () => {
  const { fresh, role, serviceUrl } = await freshWithRole();
  const name = new URL(fresh.url).pathname.slice(1);
  await asSuperuser(
    fresh.url,
    `create schema forged; grant usage on schema forged to ${role};
    create view forged.projects as select * from public.projects where false; grant select on forged.projects to ${role};
    alter database ${name} set search_path = forged, public`,
  );
  const database = await openPostgres(serviceUrl, log);
  try {
    const { projects } = createStores(database.queries, oldKey);
    await createStores(database.queries, oldKey).rowSeals.createKey();
    await projects.add({ ...newProject, aspId: 'TESTASP00000001', accessKey: 'a', cryptoKeyId: 'c' });
    expect(await projects.find('TESTASP00000001')).toMatchObject({ aspId: 'TESTASP00000001' });
    await asSuperuser(fresh.url, 'alter table public.projects enable row level security');
    projects.forgetRecent();
    await expect(projects.find('TESTASP00000001')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('row-level security') },
    });
  } finally {
    await database.close();
  }
});

it('the owner of the tables is no role for the processes', () => {
  const url = 'postgres://owner:secret@db.internal/km';
  expect(() => roleOf(url, url)).toThrow(/^DATABASE_URL: it must name another role than DATABASE_OWNER_URL/);
});

// Needs a PostgreSQL, too.
it.skipIf(!databaseUrl)('production refuses a role that may change the audit trail', async () => {
  const { fresh, role, ownerUrl, serviceUrl } = await freshWithRole();
  expect((await inspectDatabase(serviceUrl)).dangerousRights).toEqual([]);
  expect((await inspectDatabase(ownerUrl)).dangerousRights).toContain('changes the audit trail');
  await asSuperuser(fresh.url, `grant truncate on audit_trail to ${role}`);
  expect((await inspectDatabase(serviceUrl)).dangerousRights).toEqual(['changes the audit trail']);
});
