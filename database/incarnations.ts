import { desc, sql } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { databaseTime, incarnations, members } from './schema.ts';

/** One life of the database. */
export type Incarnation = typeof incarnations.$inferSelect;

/** How far the numbers of result notifications jump after a restore: more than a member gets in the time lost. */
const sequenceJump = 100_000;

/** The database is not the one that was last known: nothing is sent until an operator says what was lost. */
export class DatabaseRestored extends Error {
  override readonly name = 'DatabaseRestored';

  constructor() {
    super(
      'This database was restored or copied, and may not know what was sent since. Nothing is sent until: npm run operator -- restored --to <time of the backup>',
    );
  }
}

/** The cluster and the timeline of the write-ahead log that these queries go to. Costs 0.1 ms and no privileges. */
const cluster = sql`select system_identifier::text as "systemIdentifier", left(pg_walfile_name(pg_current_wal_lsn()), 8) as timeline from pg_control_system()`;

type Cluster = Pick<Incarnation, 'systemIdentifier' | 'timeline'>;

/**
 * The present life of the database.
 * @throws {DatabaseRestored} when the database is another one than before
 */
export async function requireIncarnation(queries: Queries): Promise<Incarnation> {
  const { rows } = (await queries.execute(cluster)) as { rows: [Cluster] };
  const [newest] = await queries.select().from(incarnations).orderBy(desc(incarnations.incarnation)).limit(1);
  const [{ systemIdentifier, timeline }] = rows;
  if (newest?.systemIdentifier !== systemIdentifier || newest.timeline !== timeline)
    throw new DatabaseRestored();
  return newest;
}

/** The lives of the database. */
export function createIncarnations(queries: Queries) {
  return {
    /** Begins the first life. Idempotent: a database that has one keeps it. */
    async beginFirst(): Promise<void> {
      const { rows } = (await queries.execute(cluster)) as { rows: [Cluster] };
      await queries
        .insert(incarnations)
        .values({ ...rows[0], incarnation: 1, begunAt: databaseTime, firstSequence: 1 })
        .onConflictDoNothing();
    },

    /**
     * Begins a new life after a restore. What older numbers sent since `restoredTo` is unknown, so their next effects
     * count as sent until the payment gateway denies it.
     * @param restoredTo null: nothing was lost
     */
    async begin(restoredTo: Date | null): Promise<Incarnation> {
      return await queries.transaction(async (transaction) => {
        const { rows } = (await transaction.execute(cluster)) as { rows: [Cluster] };
        const [newest] = await transaction
          .select()
          .from(incarnations)
          .orderBy(desc(incarnations.incarnation))
          .limit(1);
        const [{ highest }] = (await transaction
          .select({ highest: sql<number>`coalesce(max(${members.notificationSequence}), 0)`.mapWith(Number) })
          .from(members)) as [{ highest: number }];
        const [begun] = await transaction
          .insert(incarnations)
          .values({
            ...rows[0],
            incarnation: (newest?.incarnation ?? 0) + 1,
            begunAt: databaseTime,
            restoredTo,
            firstSequence: restoredTo
              ? Math.max(highest, newest?.firstSequence ?? 1) + sequenceJump
              : (newest?.firstSequence ?? 1),
          })
          .returning();
        return begun!;
      });
    },
  };
}
