import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { openPostgres } from '../platform/database/database.ts';
import type { Database } from '../platform/database/database.ts';
import { createLog } from '../platform/log.ts';

/** A PostgreSQL database of its own. */
export interface FreshPostgres {
  readonly url: string;
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>;
}

/** Makes an empty database on the server that `databaseUrl` names. */
export async function createFreshPostgres(databaseUrl: string): Promise<FreshPostgres> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(databaseUrl, `create database ${name}`);
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(databaseUrl, `drop database ${name} with (force)`) };
}

/** Opens a database of its own on that server, with all tables and no rows; closing it removes it. */
export async function openFreshPostgres(databaseUrl: string): Promise<Database> {
  const fresh = await createFreshPostgres(databaseUrl);
  const database = await openPostgres(fresh.url, createLog('test', 'silent'));
  return { ...database, close: () => database.close().then(() => fresh.drop()) };
}

async function execute(databaseUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
