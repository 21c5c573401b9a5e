import { drizzle } from 'drizzle-orm/node-postgres';
import { Client } from 'pg';
import { ConfigurationError } from '../runtime/config.ts';
import { requireMigrated } from './database.ts';
import { requireUnchangedPayloadKeys } from './payload-keys.ts';
import * as schema from './schema.ts';

/** How long the database may take, in ms. */
const deadline = 5_000;

/** What `operator setup` asks of a database. */
export interface SetupInspection {
  /** What is wrong with its tables and the payload keys; empty if nothing is. */
  readonly problems: readonly string[];
  /** By how many ms its clock is ahead of ours. */
  readonly clockOffset: number;
}

/** Looks at a database, and leaves it as it is. Throws when it does not answer. */
export async function inspectSetup(databaseUrl: string, payloadKeys: string): Promise<SetupInspection> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: deadline,
    query_timeout: deadline,
  });
  try {
    await client.connect();
    const sentAt = Date.now();
    const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
    const clockOffset = rows[0]!.now.getTime() - (sentAt + Date.now()) / 2;
    const queries = drizzle(client, { schema });
    const problems: string[] = [];
    for (const check of [
      () => requireMigrated(queries),
      () => requireUnchangedPayloadKeys(queries, payloadKeys),
    ]) {
      const problem = await check().then(() => undefined, describe);
      if (problem) problems.push(problem);
      // Older tables may not have the payload keys.
      if (problem) break;
    }
    return { problems, clockOffset };
  } finally {
    await client.end().catch(() => undefined);
  }
}

function describe(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  throw error;
}
