import { PGlite } from '@electric-sql/pglite';
import type { PGliteOptions } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { migrationsFolder, toDatabase } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import * as schema from '../../database/schema.ts';

/**
 * Opens the embedded database, in memory without a `dataDir`, and brings its tables up to date. One process at a time
 * may have a directory open: a second one loses data silently.
 */
export async function openPglite(options: Pick<PGliteOptions, 'dataDir' | 'loadDataDir'>): Promise<Database> {
  const pglite = await PGlite.create(options);
  const queries = drizzle(pglite, { schema });
  await migrate(queries, { migrationsFolder });
  return toDatabase(queries, () => pglite.close());
}
