import { eq, getTableColumns, getTableName, inArray, is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../database/database.ts';
import * as schema from '../../database/schema.ts';
import { destroyErasedKeys, freeDeleted, hasRemovedAll } from '../../database/vacuum.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { describeStores, erasure } from './stores-fixture.ts';
import type { StoresFixture } from './stores-fixture.ts';

const aspId = 'TESTASP00000001';

/** The names of the files of the database, and of the catalogs in it, that contain one of these values. */
async function filesWith(on: StoresFixture, values: readonly Buffer[]): Promise<string[]> {
  const { queries } = on.database;
  await queries.execute(sql`checkpoint`);
  const directory = sql`(select 'base/' || oid from pg_database where datname = current_database())`;
  const { rows } = (await queries.execute(
    sql`select ${directory} || '/' || name as file, pg_read_binary_file(${directory} || '/' || name, 0, 100000000, true) as content
      from pg_ls_dir(${directory}) as name`,
  )) as { rows: { file: string; content: Uint8Array | null }[] };
  return rows.flatMap(({ file, content }) =>
    content && values.some((value) => Buffer.from(content).includes(value)) ? [file] : [],
  );
}

async function addMembers(on: StoresFixture, count: number): Promise<string[]> {
  const added = Array.from({ length: count }, () => inventMember(on.nextUserId()));
  await on.stores.members.add(aspId, added);
  return added.map(({ userId }) => userId);
}

/** Repeats it, because autovacuum or a connection that is being opened may keep deleted rows for a moment. */
async function destroyAll(on: StoresFixture, count: number): Promise<void> {
  await expect
    .poll(() => destroyErasedKeys(on.database), { timeout: 30_000 })
    .toEqual({ destroyed: count, left: 0 });
}

describeStores((on) => {
  const { memberKeys } = schema;

  it('PostgreSQL samples no sealed value', async () => {
    const sealed = Object.values(schema)
      .filter((table) => is(table, PgTable))
      .flatMap((table) =>
        Object.values(getTableColumns(table))
          .filter((column) => column.getSQLType() === 'bytea')
          .map((column) => `${getTableName(table)}.${column.name}`),
      );
    expect(sealed).toContain('member_keys.sealed_data_key');
    const { rows } = (await on.database.queries.execute(sql`
      select relname || '.' || attname as "column" from pg_attribute join pg_class on pg_class.oid = attrelid
      where relnamespace = 'public'::regnamespace and relkind = 'r' and atttypid = 'bytea'::regtype
        and attstattarget = 0`)) as { rows: { column: string }[] };
    expect(rows.map(({ column }) => column).toSorted()).toEqual(sealed.toSorted());
  });

  describe('the key of an erased member', () => {
    it('goes from every file of the database', async () => {
      const { queries } = on.database;
      const userIds = await addMembers(on, 150);
      const erased = userIds.slice(0, 60);
      await queries.execute(sql`analyze`);
      const keys = (await queries.select().from(memberKeys).where(inArray(memberKeys.userId, erased))).map(
        ({ sealedDataKey }) => sealedDataKey,
      );
      expect(keys).toHaveLength(60);
      expect(await filesWith(on, keys)).toHaveLength(1);
      for (const userId of erased)
        expect(await on.stores.members.erase(aspId, userId, erasure)).toEqual({ state: 'ERASED' });
      expect(await filesWith(on, keys)).toHaveLength(1);

      await destroyAll(on, 60);
      await queries.execute(sql`analyze`);
      expect(await filesWith(on, keys)).toEqual([]);
      expect(await destroyErasedKeys(on.database)).toEqual({ destroyed: 0, left: 0 });
      expect(await on.stores.members.find(aspId, userIds[60]!)).toMatchObject({ userId: userIds[60] });
    });

    // The embedded database has one connection, so nobody else can use the table.
    it.runIf(on.databaseName === 'PostgreSQL')(
      'is left, and counted, while the table is in use',
      async () => {
        const [userId] = await addMembers(on, 1);
        await on.stores.members.erase(aspId, userId!, erasure);
        await on.database.queries.transaction(async (reading) => {
          await reading.select().from(memberKeys).limit(1);
          expect(await destroyErasedKeys(on.database)).toEqual({ destroyed: 0, left: 1 });
        });
        await destroyAll(on, 1);
      },
    );

    it.runIf(on.databaseName === 'PostgreSQL')(
      'is left, and counted, while an older transaction may still read it',
      async () => {
        const { queries } = on.database;
        const [userId] = await addMembers(on, 1);
        const ofMember = eq(memberKeys.userId, userId!);
        const keys = (await queries.select().from(memberKeys).where(ofMember)).map(
          ({ sealedDataKey }) => sealedDataKey,
        );
        await queries.transaction(
          async (backup) => {
            await backup.select().from(schema.policies).limit(1);
            await on.stores.members.erase(aspId, userId!, erasure);
            expect(await destroyErasedKeys(on.database)).toEqual({ destroyed: 0, left: 1 });
          },
          { isolationLevel: 'repeatable read' },
        );
        expect(await filesWith(on, keys)).toHaveLength(1);
        await destroyAll(on, 1);
        expect(await filesWith(on, keys)).toEqual([]);
      },
    );

    it('is left if the member was erased after the table of keys was written', async () => {
      const [first, second] = await addMembers(on, 2);
      await on.stores.members.erase(aspId, first!, erasure);
      const eraseAfterwards: Database['maintain'] = async (...words) => {
        let details = await on.database.maintain(...words);
        // A connection that is being opened may keep deleted rows for a moment.
        while (!hasRemovedAll(details)) details = await on.database.maintain(...words);
        await on.stores.members.erase(aspId, second!, erasure);
        // The erasure began before, and was committed only now.
        await on.database.queries
          .update(schema.members)
          .set({ erasedAt: new Date(0) })
          .where(eq(schema.members.userId, second!));
        return details;
      };
      expect(await destroyErasedKeys({ ...on.database, maintain: eraseAfterwards })).toMatchObject({
        destroyed: 1,
      });
      await destroyAll(on, 1);
    });
  });

  it.runIf(on.databaseName === 'PostgreSQL')('what was erased is vacuumed once', async () => {
    const [userId] = await addMembers(on, 1);
    await on.stores.members.erase(aspId, userId!, erasure);
    expect(await freeDeleted(on.database)).toBe(true);
    // PostgreSQL reports a VACUUM a moment later.
    await expect.poll(() => freeDeleted(on.database), { timeout: 30_000 }).toBe(false);
  });
});
