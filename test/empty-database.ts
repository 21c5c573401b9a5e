import { openAsBlob } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { inject } from 'vitest';
import { openPglite } from '../platform/database/database.ts';
import type { Database } from '../platform/database/database.ts';
import { openFreshPostgres } from './fresh-postgres.ts';

/** A data directory as PostgreSQL makes it at first, as a tar file: making one takes seconds. */
export async function dumpEmptyDatabase(): Promise<Uint8Array> {
  const pglite = await PGlite.create();
  const dump = await pglite.dumpDataDir('none');
  await pglite.close();
  return new Uint8Array(await dump.arrayBuffer());
}

/** Opens a database that has all tables and no rows: on the server of DATABASE_URL where it is set, else embedded. */
export async function openEmptyDatabase(): Promise<Database> {
  const databaseUrl = process.env['DATABASE_URL'];
  return await (databaseUrl ? openFreshPostgres(databaseUrl) : openEmptyPglite());
}

/** Opens an embedded database in memory that has all tables and no rows. */
export async function openEmptyPglite(): Promise<Database> {
  return await openPglite({ loadDataDir: await openAsBlob(inject('emptyDatabase')) });
}
