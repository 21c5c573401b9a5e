import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/node-postgres';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { Pool } from 'pg';
import { ConfigurationError } from '../runtime/config.ts';
import { migrateCommand } from '../runtime/operator-command.ts';
import type { Log } from '../runtime/log.ts';
import * as schema from './schema.ts';

/** Queries against PostgreSQL, or against the embedded database of development. */
export type Queries = PgDatabase<PgQueryResultHKT, typeof schema>;

/** An open database. */
export interface Database {
  readonly queries: Queries;
  /** Throws when the database does not answer. */
  ping(): Promise<{ readonly isReadOnly: boolean }>;
  /**
   * Runs a statement that takes long and must not be in a transaction, such as VACUUM, on a connection of its own.
   * @param lockTimeout how long it may wait for a lock, in ms; then it throws the SQLSTATE 55P03
   * @returns the details of its notices, in the server's language
   */
  maintain(statement: string, lockTimeout: number): Promise<readonly string[]>;
  /** How many connections there may be, how many are in use or idle, and how many requests wait for one. */
  connections(): Readonly<Record<'max' | 'active' | 'idle' | 'waiting', number>>;
  close(): Promise<void>;
}

/** Absolute path of the migrations. */
export const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));

/**
 * Opens PostgreSQL. Throws when it cannot be reached.
 * @param connections how many connections are opened at most
 * @throws {ConfigurationError} when its tables are older than version 1.0.0, or lack a migration
 */
export async function openPostgres(url: string, log: Log, connections = 10): Promise<Database> {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    // Callers rely on committed writes, so a server configured for speed must not weaken durability. Whatever the settings of
    // the database or the role say, no other schema and no row policy comes between us and our tables.
    options: '-c synchronous_commit=on -c search_path=public,pg_temp -c row_security=off',
  });
  // A connection that breaks is replaced by the pool; without a listener it would end the process. The pool's listener
  // hears of idle connections only: one that breaks between two queries of a transaction needs its own.
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection broke'));
  pool.on('connect', (client) => client.on('error', () => {}));
  const queries = drizzle(pool, { schema });
  try {
    await requireSameBaseline(queries, 'DATABASE_URL: this database', 'use a new database');
    await requireMigrated(queries);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return toDatabase(queries, {
    maintain: (...words) => maintain(pool, ...words),
    connections() {
      const { totalCount, idleCount, waitingCount } = pool;
      const active = totalCount - idleCount;
      return { max: pool.options.max, active, idle: idleCount, waiting: waitingCount };
    },
    close: () => pool.end(),
  });
}

async function maintain(pool: Pool, statement: string, lockTimeout: number): Promise<readonly string[]> {
  const connection = await pool.connect();
  const details: string[] = [];
  connection.on('notice', ({ detail }) => detail !== undefined && details.push(detail));
  try {
    await connection.query(`set statement_timeout = 0`);
    await connection.query(`set lock_timeout = ${lockTimeout}`);
    await connection.query(statement);
    return details;
  } finally {
    // Not given back: it has other limits now.
    connection.release(true);
  }
}

/**
 * Refuses a database whose first migration is not ours: the migrations of 1.0.0 cannot be applied to it.
 * @param subject what was made by another version, @param remedy what to do about it
 * @throws {ConfigurationError}
 */
export async function requireSameBaseline(queries: Queries, subject: string, remedy: string): Promise<void> {
  const applied = await readApplied(queries);
  const [initial] = readMigrationFiles({ migrationsFolder });
  if (applied.length === 0 || applied[0] === initial!.hash) return;
  throw new ConfigurationError(`${subject} was created by a development version before 1.0.0; ${remedy}.`);
}

/** A newer version may have migrated further: its migrations suit the processes of this one, too. */
export async function requireMigrated(queries: Queries): Promise<void> {
  const latest = readMigrationFiles({ migrationsFolder }).at(-1)!;
  if ((await readApplied(queries)).includes(latest.hash)) return;
  throw new ConfigurationError(
    `DATABASE_URL: the database lacks migrations of this version. Run them as the owner of the tables: ${migrateCommand}`,
  );
}

/** The hashes of the migrations that were applied, the first one first. */
async function readApplied(queries: Queries): Promise<string[]> {
  const history = sql`select to_regclass('drizzle.__drizzle_migrations') is not null as "exists"`;
  const { rows: tables } = (await queries.execute(history)) as { rows: [{ exists: boolean }] };
  if (!tables[0].exists) return [];
  const hashes = sql`select hash from drizzle.__drizzle_migrations order by created_at`;
  return ((await queries.execute(hashes)) as { rows: { hash: string }[] }).rows.map(({ hash }) => hash);
}

/** Completes an open database. */
export function toDatabase(queries: Queries, rest: Omit<Database, 'queries' | 'ping'>): Database {
  return {
    queries,
    async ping() {
      const mode = sql`select current_setting('transaction_read_only') = 'on' as "isReadOnly"`;
      const { rows } = (await queries.execute(mode)) as { rows: [{ isReadOnly: boolean }] };
      return rows[0];
    },
    ...rest,
  };
}
