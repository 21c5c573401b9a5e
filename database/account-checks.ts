import { and, eq, gte, isNotNull, ne, sql } from 'drizzle-orm';
import { koreanDate, timeOfKoreanDay } from '../contract/korean-time.ts';
import type { Queries } from './database.ts';
import { accountChecks, registrations } from './schema.ts';

/** How many accounts were checked today for a member, as counted for the daily limit. Days are those of Korea. */
export function createAccountChecks(queries: Queries) {
  return {
    /**
     * Counts a check, unless the member's limit is reached by checks and registrations together.
     * @returns whether it was counted
     */
    async count(userId: string, limit: number): Promise<boolean> {
      const checkedOn = koreanDate(Date.now());
      const before = sql`case when ${accountChecks.checkedOn} = ${checkedOn} then ${accountChecks.checks} else 0 end`;
      const counted = await queries
        .insert(accountChecks)
        .select(sql`select ${userId}, ${checkedOn}::date, 1 where ${registrationsToday(userId)} < ${limit}`)
        .onConflictDoUpdate({
          target: accountChecks.userId,
          set: { checkedOn, checks: sql`${before} + 1` },
          setWhere: sql`${before} + ${registrationsToday(userId)} < ${limit}`,
        })
        .returning({ userId: accountChecks.userId });
      return counted.length > 0;
    },
  };
}

/** How many accounts were checked today for a member, but for that of one registration. */
export function checksToday(userId: string, registrationNumber: string) {
  const ofToday = and(eq(accountChecks.userId, userId), eq(accountChecks.checkedOn, koreanDate(Date.now())));
  const alone = sql`coalesce((select ${accountChecks.checks} from ${accountChecks} where ${ofToday}), 0)`;
  return sql`${alone} + ${registrationsToday(userId, registrationNumber)}`.mapWith(Number);
}

/** The registrations of today that began: each checks one account. */
function registrationsToday(userId: string, except = '') {
  const midnight = new Date(Date.now() - timeOfKoreanDay(Date.now()));
  const begun = and(
    eq(registrations.userId, userId),
    gte(registrations.createdAt, midnight),
    isNotNull(registrations.begunAt),
    ne(registrations.registrationNumber, except),
  );
  return sql`(select count(*) from ${registrations} where ${begun})`;
}
