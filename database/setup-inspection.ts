import { drizzle } from 'drizzle-orm/node-postgres';
import { problemOf } from '../runtime/config.ts';
import { requireMigrated } from './database.ts';
import { requireUnchangedPayloadKeys } from './payload-keys.ts';
import * as schema from './schema.ts';
import { withClient } from './with-client.ts';

/** What `operator setup` asks of a database. */
export interface SetupInspection {
  /** What is wrong with its tables or else the payload keys; undefined if nothing is. */
  readonly problem: string | undefined;
  /** By how many ms its clock is ahead of ours. */
  readonly clockOffset: number;
}

/** Looks at a database, and leaves it as it is. Throws when it does not answer. */
export async function inspectSetup(databaseUrl: string, payloadKeys: string): Promise<SetupInspection> {
  return await withClient(databaseUrl, async (client) => {
    const sentAt = Date.now();
    const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
    const clockOffset = rows[0]!.now.getTime() - (sentAt + Date.now()) / 2;
    const queries = drizzle(client, { schema });
    // Older tables may not have the payload keys.
    const problem = await requireMigrated(queries)
      .then(() => requireUnchangedPayloadKeys(queries, payloadKeys))
      .then(() => undefined, problemOf);
    return { problem, clockOffset };
  });
}
