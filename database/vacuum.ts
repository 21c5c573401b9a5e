import { and, isNotNull, isNull, lte, sql } from 'drizzle-orm';
import { errorCode } from '../runtime/error-code.ts';
import type { Database } from './database.ts';
import { members } from './schema.ts';

// PostgreSQL only marks what is deleted, and leaves it in its files. These functions remove it from there.

/** How long others may be held up while a table waits for its lock, in ms. */
const lockTimeout = 500;

/** The SQLSTATE of a lock that was not granted in time. */
const lockNotAvailable = '55P03';

/** What became of the keys of erased members. */
export interface DestroyedKeys {
  /** How many have gone from the files of the database. */
  readonly destroyed: number;
  /** How many are still there. */
  readonly left: number;
}

/**
 * Writes the table of the members' data keys to a new file, if a member was erased since the last time. A plain VACUUM leaves
 * some of the deleted keys in the old one. It gives up where the table stays in use. Idempotent.
 */
export async function destroyErasedKeys(database: Database): Promise<DestroyedKeys> {
  const isLeft = and(isNotNull(members.erasedAt), isNull(members.keyDestroyedAt));
  const startedAt = new Date();
  const left = await database.queries.$count(members, isLeft);
  if (left === 0) return { destroyed: 0, left };
  try {
    await database.maintain('vacuum (full) member_keys', lockTimeout);
  } catch (error) {
    if (errorCode(error) === lockNotAvailable) return { destroyed: 0, left };
    throw error;
  }
  const destroyed = await database.queries
    .update(members)
    .set({ keyDestroyedAt: new Date() })
    .where(and(isLeft, lte(members.erasedAt, startedAt)))
    .returning({ userId: members.userId });
  return { destroyed: destroyed.length, left: left - destroyed.length };
}

/**
 * Makes the space of what was purged or erased available, to be overwritten, if that has happened since the last VACUUM.
 * @returns whether it had
 */
export async function freeDeleted(database: Database): Promise<boolean> {
  const { rows } = (await database.queries.execute(sql`
    select (select max(at) from (select max(purged_at) as at from registrations union all select max(erased_at) from members) as deleted)
      > coalesce(min(coalesce(greatest(last_vacuum, last_autovacuum), '-infinity')), '-infinity') as "isDue"
    from pg_stat_user_tables
    where relid in ('registrations'::regclass, 'consent_evidence'::regclass, 'members'::regclass)`)) as {
    rows: [{ isDue: boolean | null }];
  };
  if (!rows[0].isDue) return false;
  await database.maintain('vacuum registrations, consent_evidence, members', lockTimeout);
  return true;
}
