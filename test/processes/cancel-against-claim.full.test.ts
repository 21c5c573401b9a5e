import { sql } from 'drizzle-orm';
import { describe, expect, inject, it } from 'vitest';
import type { Started } from '../fixtures/members-of-stack.ts';
import { expectRegisteredOnce, startRealParts } from './real-parts.ts';
import type { RealParts } from './real-parts.ts';

const databaseUrl = process.env['DATABASE_URL'];

/** Whether a transaction claims an attempt to register. */
const claims = (transaction: string) =>
  transaction.includes('insert into "effects"') && transaction.includes('REGISTRATION');

/** Waits until somebody waits for a lock. */
async function untilLockIsWaitedFor({ database }: RealParts): Promise<void> {
  const isWaiting = async () => {
    const { rows } = (await database.queries.execute(
      sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )) as { rows: unknown[] };
    return rows.length > 0;
  };
  await expect.poll(isWaiting, { timeout: 20_000 }).toBe(true);
}

const cancel = async ({ post }: RealParts, { regNo }: Started) =>
  (await post('/ars/register/cancel', { regNo, action: 'cancel' })).response.code;

describe.runIf(databaseUrl)('a cancellation that meets the claim of a worker', { timeout: 120_000 }, () => {
  it('after it is refused; before it wins, and nothing is registered', async () => {
    const parts = await startRealParts(databaseUrl!, inject('workflowBundle'));
    const worker = await parts.startWorker();
    const claim = worker.database.holdCommit('REQUEST', claims);
    const registered = await parts.register();
    await claim.reached;
    const late = cancel(parts, registered);
    await untilLockIsWaitedFor(parts);
    claim.release();
    expect(await late).toBe('002_915');
    await expectRegisteredOnce(parts, registered);

    const lostClaim = worker.database.holdCommit('REQUEST', claims);
    const cancellation = parts.api.proxy.holdCommit('REQUEST', (transaction) =>
      transaction.includes('002_914'),
    );
    const cancelled = await parts.register();
    await lostClaim.reached;
    const early = cancel(parts, cancelled);
    await untilLockIsWaitedFor(parts);
    lostClaim.drop();
    await cancellation.reached;
    // Now it is the claim, repeated, that waits.
    await untilLockIsWaitedFor(parts);
    cancellation.release();
    expect(await early).toBe('000_000');
    expect(await parts.ended(cancelled)).toMatchObject({ response: { code: '002_914' } });
    await parts.temporal.workflow.getHandle(cancelled.userId).result();
    expect(await parts.registrationsOf(cancelled)).toEqual([]);
  });
});
