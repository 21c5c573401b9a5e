import { sql } from 'drizzle-orm';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Client } from 'pg';
import { ConfigurationError } from '../runtime/config.ts';
import { migrationsFolder, requireSameBaseline } from './database.ts';
import type { Queries } from './database.ts';
import * as schema from './schema.ts';

/** The role that the processes log in with. */
export interface ServiceRole {
  readonly name: string;
  /** For a role that does not exist yet. */
  readonly password?: string | undefined;
}

/** Names the advisory lock under which one program at a time migrates. */
const migrationLock = 0x6b6d_0001;

/** The tables that the processes vacuum, which only an owner may before PostgreSQL 17. */
const vacuumed = ['member_keys', 'members', 'registrations', 'consent_evidence'];

/** The role that a database URL logs in with. @throws {ConfigurationError} when the owner's URL names it, too */
export function roleOf(databaseUrl: string, ownerUrl: string): ServiceRole {
  const [{ user, password }, owner] = [databaseUrl, ownerUrl].map(
    (connectionString) => new Client({ connectionString }),
  ) as [Client, Client];
  if (user && user !== owner.user) return { name: user, password: password || undefined };
  throw new ConfigurationError(
    'DATABASE_URL: it must name another role than DATABASE_OWNER_URL. The owner of the tables can rewrite the audit trail.',
  );
}

/**
 * Brings the tables of a PostgreSQL database up to date, as their owner, and gives the role of the processes the rights that
 * they need. Idempotent.
 * @throws {ConfigurationError} when the tables are older than version 1.0.0
 */
export async function migrateDatabase(ownerUrl: string, role?: ServiceRole): Promise<void> {
  const client = new Client({ connectionString: ownerUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const queries = drizzle(client, { schema });
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await requireSameBaseline(queries, 'DATABASE_OWNER_URL: this database', 'use a new database');
    await migrate(queries, { migrationsFolder });
    if (role) await grantRights(queries, role);
  } finally {
    await client.end();
  }
}

/**
 * Creates a role if there is none, and gives it the rights of a process: it reads and changes every table, but of the audit
 * trail it reads and adds only, and owns none of it.
 */
export async function grantRights(queries: Queries, { name, password }: ServiceRole): Promise<void> {
  const role = sql.identifier(name);
  const tables = sql.join(
    vacuumed.map((table) => sql.identifier(table)),
    sql`, `,
  );
  await queries.transaction(async (transaction) => {
    const run = (statement: ReturnType<typeof sql>) => transaction.execute(statement);
    const ask = async (question: ReturnType<typeof sql>) =>
      ((await run(sql`select ${question} as yes`)) as { rows: [{ yes: boolean }] }).rows[0].yes;

    if (!(await ask(sql`exists (select from pg_roles where rolname = ${name})`)))
      await run(
        sql`create role ${role} login ${password === undefined ? sql`` : sql`password ${literal(password)}`}`,
      );
    await run(sql`revoke create on schema public from public`);
    await run(sql`grant usage on schema public, drizzle to ${role}`);
    await run(sql`grant select on all tables in schema drizzle to ${role}`);
    await run(sql`grant select, insert, update, delete on all tables in schema public to ${role}`);
    await run(sql`revoke all on audit_trail from ${role}`);
    await run(sql`grant select, insert on audit_trail to ${role}`);
    await run(sql`revoke delete on audit_trail_keys from ${role}`);
    if (await ask(sql`current_setting('server_version_num')::int >= 170000`))
      return await run(sql`grant maintain on ${tables} to ${role}`);
    // Only a member of a role may give it a table, and only where it may create tables.
    if (!(await ask(sql`pg_has_role(${name}, 'MEMBER')`))) await run(sql`grant ${role} to current_user`);
    await run(sql`grant create on schema public to ${role}`);
    for (const table of vacuumed) await run(sql`alter table ${sql.identifier(table)} owner to ${role}`);
    return await run(sql`revoke create on schema public from ${role}`);
  });
}

/** A text as SQL has it, for statements without parameters. */
function literal(text: string) {
  return sql.raw(`E'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`);
}
