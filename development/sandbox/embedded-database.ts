import { sql } from 'drizzle-orm';
import { PGlite } from '@electric-sql/pglite';
import type { PGliteOptions } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { grantRights } from '../../database/migrate.ts';
import { migrationsFolder, requireSameBaseline, toDatabase } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import * as schema from '../../database/schema.ts';

/**
 * Opens the embedded database, in memory without a `dataDir`, and brings its tables up to date. One process at a time
 * may have a directory open: a second one loses data silently.
 * @param role the role to go on with, as on PostgreSQL; default: that of the owner, a superuser
 * @throws {ConfigurationError} when its tables are older than version 1.0.0
 */
export async function openPglite(
  options: Pick<PGliteOptions, 'dataDir' | 'loadDataDir'>,
  role?: string,
): Promise<Database> {
  const pglite = await PGlite.create(options);
  const queries = drizzle(pglite, { schema });
  const subject = `DATA_DIR: the database in ${options.dataDir ?? 'memory'}`;
  await requireSameBaseline(queries, subject, 'set DATA_DIR to a new directory or remove this one');
  await migrate(queries, { migrationsFolder });
  if (role !== undefined) {
    await grantRights(queries, { name: role });
    await queries.execute(sql`set role ${sql.identifier(role)}`);
  }
  return toDatabase(queries, {
    maintain: async (statement) => {
      const details: string[] = [];
      await pglite.exec(statement, {
        onNotice: ({ detail }) => detail !== undefined && details.push(detail),
      });
      return details;
    },
    // Its one connection is no pool: requests wait inside it.
    connections: () => ({ max: 1, active: 0, idle: 1, waiting: 0 }),
    close: () => pglite.close(),
  });
}
