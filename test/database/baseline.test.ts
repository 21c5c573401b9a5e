import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { expect, inject, it, onTestFinished } from 'vitest';
import { openPostgres } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { openPglite } from '../../development/sandbox/embedded-database.ts';
import { createLog } from '../../runtime/log.ts';
import { createFreshPostgres } from '../fixtures/fresh-postgres.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

const databaseUrl = process.env['DATABASE_URL'];

/** Makes a database look as if it had been created by another first migration. */
async function makeOlder(database: Database): Promise<void> {
  await database.queries.execute(sql`update drizzle.__drizzle_migrations set hash = 'of an earlier version'`);
  await database.close();
}

it('an embedded database from before 1.0.0 is refused, and the message says what to do', async () => {
  const dataDir = join(temporaryDirectory(), 'database');
  await makeOlder(await openPglite({ dataDir, loadDataDir: await openAsBlob(inject('emptyDatabase')) }));
  await expect(openPglite({ dataDir })).rejects.toMatchObject({
    name: 'ConfigurationError',
    message: `DATA_DIR: the database in ${dataDir} was created by a development version before 1.0.0; set DATA_DIR to a new directory or remove this one.`,
  });
});

// Needs a PostgreSQL, which DATABASE_URL names.
it.skipIf(!databaseUrl)('a PostgreSQL database from before 1.0.0 is refused', async () => {
  const fresh = await createFreshPostgres(databaseUrl!);
  onTestFinished(() => fresh.drop());
  const open = () => openPostgres(fresh.url, createLog('test', 'silent'));
  await makeOlder(await open());
  await expect(open()).rejects.toThrow(
    'DATABASE_URL: this database was created by a development version before 1.0.0; use a new database.',
  );
});
