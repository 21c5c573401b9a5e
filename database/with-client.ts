import { Client } from 'pg';

/** How long the database may take, in ms. */
const deadline = 5_000;

/** Opens a connection for one look at a database, and closes it. Throws when the database does not answer. */
export async function withClient<Found>(
  databaseUrl: string,
  look: (client: Client) => Promise<Found>,
): Promise<Found> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: deadline,
    query_timeout: deadline,
  });
  try {
    await client.connect();
    return await look(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
