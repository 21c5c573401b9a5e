import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { operatorCommand } from '../runtime/operator-command.ts';
import type { Queries } from './database.ts';
import { databaseTime, incarnations, members, registrations } from './schema.ts';

/** One life of the database. */
export type Incarnation = typeof incarnations.$inferSelect;

/** A life that began with a restore: what was committed between `restoredTo` and `begunAt` is lost. */
export type LossyIncarnation = Incarnation & { readonly restoredTo: Date };

/**
 * How far a database has come: the beginning of its life, and up to where its write-ahead log was on disk. Neither goes
 * back, unless an older copy of the disk was put in its place.
 */
export interface DatabaseMark {
  /** When its first life began, in Unix ms: tells databases apart. */
  readonly bornAt: number;
  /** When its newest life began, in Unix ms. */
  readonly begunAt: number;
  /** In the write-ahead log, in bytes; more than a number holds. */
  readonly position: string;
}

/** How far each database had come when a process last looked, or another one told it, by its birth. */
type Marks = Map<number, DatabaseMark>;

const ofThisProcess: Marks = new Map();

/** In place of the cluster of a life that is over, because an older copy of the disk was put in its place. */
const olderCopy = 'an older copy';

/** Beyond every position: this life of the database is over. */
const end = String(2n ** 64n);

function isEarlier(one: DatabaseMark, other: DatabaseMark): boolean {
  if (one.begunAt !== other.begunAt) return one.begunAt < other.begunAt;
  return BigInt(one.position) < BigInt(other.position);
}

function remember(marks: Marks, mark: DatabaseMark): void {
  const known = marks.get(mark.bornAt);
  if (!known || isEarlier(known, mark)) marks.set(mark.bornAt, mark);
}

/** Whether a failover may lose what was committed last. */
export type DatabaseFailover = 'asynchronous' | 'synchronous';

/** How far the numbers of result notifications jump after a restore: more than a member gets in the time lost. */
const sequenceJump = 100_000;

/** The database is not the one that was last known: nothing is sent until an operator says what was lost. */
export class DatabaseRestored extends Error {
  override readonly name = 'DatabaseRestored';

  constructor(
    message = 'This database was restored or copied, and may not know what was sent since. Nothing is sent until: npm run operator -- restored --to <time of the backup>',
  ) {
    super(message);
  }
}

/** The cluster and the timeline of the write-ahead log that a query goes to. Costs 0.1 ms and no privileges. */
const cluster = {
  systemIdentifier: sql<string>`(select system_identifier::text from pg_control_system())`,
  timeline: sql<string>`left(pg_walfile_name(pg_current_wal_lsn()), 8)`,
};

/** What is on disk survives a crash, so it goes back only with the disk. */
const position = sql<string>`(pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::text`;

/** All lives, the newest first, and whether it is the present one. There are few: one for each restore or failover. */
async function readLives(queries: Queries, marks: Marks) {
  // Taken before the query: what another query finds meanwhile may be later.
  const known = new Map(marks);
  const rows = await queries
    .select({ incarnation: incarnations, ...cluster, position })
    .from(incarnations)
    .orderBy(desc(incarnations.incarnation));
  const lives = rows.map(({ incarnation }) => incarnation);
  const [newest] = rows;
  const isSameCluster = newest?.incarnation.systemIdentifier === newest?.systemIdentifier;
  const timelines = newest ? numberOf(newest.timeline) - numberOf(newest.incarnation.timeline) : 0;
  const isSameLog = newest !== undefined && isSameCluster && timelines === 0;
  const mark = isSameLog ? markOf(lives, newest.position) : undefined;
  const before = mark && known.get(mark.bornAt);
  const isOlderCopy = mark !== undefined && before !== undefined && isEarlier(mark, before);
  // It grows past the mark again: what was noticed once stays so until another life begins.
  if (isOlderCopy) remember(marks, { ...before, position: end });
  else if (mark) remember(marks, mark);
  return {
    lives,
    mark,
    isPresent: isSameLog && !isOlderCopy,
    isOlderCopy,
    isNextTimeline: isSameCluster && timelines === 1,
  };
}

function markOf(lives: readonly Incarnation[], reached: string): DatabaseMark {
  return {
    bornAt: lives.at(-1)!.begunAt.getTime(),
    begunAt: lives[0]!.begunAt.getTime(),
    position: reached,
  };
}

function numberOf(timeline: string): number {
  return Number.parseInt(timeline, 16);
}

/** Whether the server was recovered to a point in time: that begins the next timeline, too. */
async function isRecoveredToPoint(queries: Queries): Promise<boolean> {
  const { rows } = await (queries.execute(
    sql`select from pg_settings where setting <> '' and name ~ '^recovery_target(_lsn|_name|_time|_xid)?$'`,
  ) as Promise<{ rows: unknown[] }>);
  return rows.length > 0;
}

/**
 * Makes sure that this is the database that was last known.
 * @returns the latest restore that lost something, if there was one
 * @throws {DatabaseRestored} when the database is another one than before
 */
export async function requireKnownDatabase(
  queries: Queries,
  marks: Marks = ofThisProcess,
): Promise<LossyIncarnation | undefined> {
  const { lives, isPresent } = await readLives(queries, marks);
  if (!isPresent) throw new DatabaseRestored();
  return lives.find((life): life is LossyIncarnation => life.restoredTo !== null);
}

/**
 * Makes sure that a registration that seems not to have begun has not: a restore may have lost that it was handed out.
 * @throws {DatabaseRestored} when it is older than a restore after which `operator adopt` has not succeeded yet
 */
export async function requireNotHandedOut(queries: Queries, registrationNumber: string): Promise<void> {
  const restore = await requireKnownDatabase(queries);
  if (!restore || restore.adoptedAt) return;
  const isOlder = and(
    eq(registrations.registrationNumber, registrationNumber),
    lt(registrations.createdAt, restore.begunAt),
  );
  if ((await queries.$count(registrations, isOlder)) === 0) return;
  throw new DatabaseRestored(
    `The restore of the database may have lost that ${registrationNumber} was handed out. It is kept until: ${operatorCommand('adopt')}`,
  );
}

/** The lives of the database. @param marks what the process remembers */
export function createIncarnations(queries: Queries, marks: Marks = ofThisProcess) {
  return {
    /** Begins the first life. Idempotent: a database that has one keeps it. */
    async beginFirst(): Promise<void> {
      await queries
        .insert(incarnations)
        .values({ ...cluster, incarnation: 1, begunAt: databaseTime, firstSequence: 1 })
        .onConflictDoNothing();
    },

    /** Records that `operator adopt` has brought back what the latest restore lost. */
    async recordAdoption(): Promise<void> {
      const restore = await requireKnownDatabase(queries, marks);
      if (!restore) return;
      await queries
        .update(incarnations)
        .set({ adoptedAt: databaseTime })
        .where(eq(incarnations.incarnation, restore.incarnation));
    },

    /** See {@link requireKnownDatabase}. */
    requireKnown: () => requireKnownDatabase(queries, marks),

    /** How far the database has come; undefined while it is not the one that was last known. */
    async mark(): Promise<DatabaseMark | undefined> {
      const { isPresent, mark } = await readLives(queries, marks);
      return isPresent ? mark : undefined;
    },

    /** Takes over how far another process knows the database to have come. */
    remember: (mark: DatabaseMark) => remember(marks, mark),

    /**
     * Looks whether this is still the database that was last known. Where a failover loses nothing, it begins a new life
     * after one; of several processes one does. An older copy of the disk is noted in the database, so that processes that
     * remember nothing know of it, too.
     */
    async look(failover: DatabaseFailover): Promise<'KNOWN' | 'FAILED_OVER' | 'RESTORED'> {
      const { lives, isPresent, isOlderCopy, isNextTimeline } = await readLives(queries, marks);
      const [newest] = lives;
      if (!newest || isPresent) return 'KNOWN';
      if (isOlderCopy) {
        await queries
          .update(incarnations)
          .set({ systemIdentifier: olderCopy })
          .where(eq(incarnations.incarnation, newest.incarnation));
      }
      if (failover !== 'synchronous' || !isNextTimeline || (await isRecoveredToPoint(queries)))
        return 'RESTORED';
      const { incarnation, firstSequence } = newest;
      const begun = await queries
        .insert(incarnations)
        .values({ ...cluster, incarnation: incarnation + 1, begunAt: databaseTime, firstSequence })
        .onConflictDoNothing()
        .returning({ incarnation: incarnations.incarnation });
      return begun.length > 0 ? 'FAILED_OVER' : 'KNOWN';
    },

    /**
     * Begins a new life after a restore. What older numbers sent since `restoredTo` is unknown, so their next effects
     * count as sent until the payment gateway denies it.
     * @param restoredTo null: nothing was lost
     */
    async begin(restoredTo: Date | null): Promise<Incarnation> {
      return await queries.transaction(async (transaction) => {
        const [newest] = (await readLives(transaction, marks)).lives;
        const [{ highest }] = (await transaction
          .select({ highest: sql<number>`coalesce(max(${members.notificationSequence}), 0)`.mapWith(Number) })
          .from(members)) as [{ highest: number }];
        const [begun] = await transaction
          .insert(incarnations)
          .values({
            ...cluster,
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
