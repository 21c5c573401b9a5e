import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import type { PGliteOptions } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import { migrate as migratePostgres } from 'drizzle-orm/node-postgres/migrator';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator';
import { Pool } from 'pg';
import type { Log } from '../runtime/log.ts';
import * as schema from './schema.ts';

/** Queries against PostgreSQL or the embedded PGlite alike. */
export type Queries = PgDatabase<PgQueryResultHKT, typeof schema>;

/** An open database. */
export interface Database {
  readonly queries: Queries;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));
/** Names the advisory lock under which one process at a time migrates. */
const migrationLock = 0x6b6d_0001;

/** Opens PostgreSQL and brings its tables up to date. Throws when it cannot be reached. */
export async function openPostgres(url: string, log: Log): Promise<Database> {
  const pool = new Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    // Every write is a promise to a caller, so a server set up for speed must not soften it.
    options: '-c synchronous_commit=on',
  });
  // A connection that breaks is replaced by the pool; without a listener it would end the process. The pool's listener
  // hears of idle connections only: one that breaks between two queries of a transaction needs its own.
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection broke'));
  pool.on('connect', (client) => client.on('error', () => {}));
  const queries = drizzlePostgres(pool, { schema });
  const migrating = await pool.connect();
  try {
    await migrating.query('select pg_advisory_lock($1)', [migrationLock]);
    await migratePostgres(queries, { migrationsFolder });
  } finally {
    // Closing the connection lets go of the lock.
    migrating.release(true);
  }
  return { queries, ping: () => ping(queries), close: () => pool.end() };
}

/**
 * Opens the embedded database, in memory without a `dataDir`, and brings its tables up to date. One process at a time
 * may have a directory open: a second one loses data silently.
 */
export async function openPglite(options: Pick<PGliteOptions, 'dataDir' | 'loadDataDir'>): Promise<Database> {
  const pglite = await PGlite.create(options);
  const queries = drizzlePglite(pglite, { schema });
  await migratePglite(queries, { migrationsFolder });
  return { queries, ping: () => ping(queries), close: () => pglite.close() };
}

async function ping(queries: Queries): Promise<void> {
  await queries.execute(sql`select 1`);
}
