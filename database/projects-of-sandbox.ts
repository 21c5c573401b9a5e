import { Client, DatabaseError } from 'pg';

/** The prefix of the ASP IDs of a sandbox's projects. */
const sandboxProjectMark = 'SANDBOXASP';

/** How long the database may take, in ms. */
const deadline = 5_000;

/** The SQLSTATE of a database without these tables. */
const undefinedTable = '42P01';

/**
 * The ASP IDs of the sandbox's projects in a database, which it leaves as it is. None where there are no tables yet.
 * Throws when the database does not answer: then it is unknown.
 */
export async function findSandboxProjects(databaseUrl: string): Promise<string[]> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: deadline,
    query_timeout: deadline,
  });
  try {
    await client.connect();
    const text = 'select asp_id from projects where starts_with(asp_id, $1) order by asp_id';
    const { rows } = await client.query<{ asp_id: string }>(text, [sandboxProjectMark]);
    return rows.map(({ asp_id: aspId }) => aspId);
  } catch (error) {
    if (error instanceof DatabaseError && error.code === undefinedTable) return [];
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}
