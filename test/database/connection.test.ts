import { sql } from 'drizzle-orm';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openPostgres } from '../../database/database.ts';
import { createLog } from '../../runtime/log.ts';
import { isTransient } from '../../runtime/transient-errors.ts';
import { createFreshPostgres, openFreshPostgres } from '../fixtures/fresh-postgres.ts';

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

  it('is one of at most as many as the settings say; further queries wait for one', async () => {
    const fresh = await createFreshPostgres(databaseUrl!);
    const database = await openPostgres(fresh.url, createLog('test', 'silent'), 2);
    onTestFinished(async () => {
      await database.close();
      await fresh.drop();
    });
    const pid = sql`select pg_backend_pid() as pid from pg_sleep(0.05)`;
    const answers = await Promise.all(Array.from({ length: 6 }, () => database.queries.execute(pid)));
    const pids = (answers as unknown as { rows: [{ pid: number }] }[]).map(({ rows }) => rows[0].pid);
    expect(new Set(pids).size).toBe(2);
  });
});
