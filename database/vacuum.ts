import { and, isNotNull, isNull, sql } from 'drizzle-orm';
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
 * some of the deleted keys in the old one. It gives up where the table stays in use. A key that an open transaction may still
 * read, such as that of a backup, is copied into the new file, so it does not count as destroyed. Idempotent.
 */
export async function destroyErasedKeys(database: Database): Promise<DestroyedKeys> {
  const isLeft = and(isNotNull(members.erasedAt), isNull(members.keyDestroyedAt));
  // Whoever is erased from here on may be erased after the file was written.
  const erased = await database.queries.select({ userId: members.userId }).from(members).where(isLeft);
  const left = erased.length;
  if (left === 0) return { destroyed: 0, left };
  try {
    const details = await database.maintain('vacuum (full, verbose) member_keys', lockTimeout);
    if (!hasRemovedAll(details)) return { destroyed: 0, left };
  } catch (error) {
    if (errorCode(error) === lockNotAvailable) return { destroyed: 0, left };
    throw error;
  }
  const destroyed = await database.queries
    .update(members)
    .set({ keyDestroyedAt: new Date() })
    .where(and(isLeft, sql`${members.userId} = any(${sql.param(erased.map(({ userId }) => userId))})`))
    .returning({ userId: members.userId });
  return { destroyed: destroyed.length, left: left - destroyed.length };
}

/**
 * Whether a VACUUM kept no deleted row. Its detail begins with how many it kept, "0 dead row versions cannot be removed
 * yet"; the role of the processes cannot choose the language, so the first number counts.
 */
export function hasRemovedAll(details: readonly string[]): boolean {
  return details.length > 0 && details.every((detail) => /\d+/.exec(detail)?.[0] === '0');
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
