import { sql } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import { isTransient } from '../../runtime/transient-errors.ts';
import { openFreshPostgres } from '../fixtures/fresh-postgres.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: the stores are tested on PGlite, not on PostgreSQL.\n');
}

describe.runIf(databaseUrl)('a connection to PostgreSQL', () => {
  it('that breaks between two queries of a transaction fails the transaction and nothing else', async () => {
    const database = await openFreshPostgres(databaseUrl!);
    const { queries } = database;
    const broken = queries.transaction(async (transaction) => {
      const own = (await transaction.execute(sql`select pg_backend_pid() as pid`)) as {
        rows: [{ pid: number }];
      };
      const { pid } = own.rows[0];
      await queries.execute(sql`select pg_terminate_backend(${pid})`);
      const countOfThis = () => queries.$count(sql`pg_stat_activity`, sql`pid = ${pid}`);
      await vi.waitUntil(async () => (await countOfThis()) === 0);
      await transaction.execute(sql`select 1`);
    });
    await expect(broken).rejects.toThrow('Failed query');
    // The caller is asked to retry.
    expect(isTransient(await broken.catch((error: unknown) => error))).toBe(true);
    await database.ping();
    await database.close();
  });
});
