import { and, eq, inArray, isNull, lte, notExists, notInArray, sql } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { lockWithRetention } from './registration-alteration.ts';
import type { RowSeals } from './row-seals.ts';
import { accounts, consentEvidence, legalHolds, registrations } from './schema.ts';

/**
 * How long evidence is kept after its consent was last used: five years, by the Electronic Financial Transactions Act.
 * The day on which a period begins does not count, hence the additional day.
 */
const retention = sql`interval '5 years 1 day'`;

/** How many registrations are purged in one transaction. */
const rowsPerBatch = 100;

/**
 * When a registration's consent was last used: at the removal of its account at the payment gateway or, without an
 * account, at the registration's end. Null while it is in use.
 */
const outOfUseSince = sql`(case
  when exists (select from ${accounts} where ${accounts.registrationNumber} = ${registrations.registrationNumber})
  then (select ${accounts.removedAt} from ${accounts} where ${accounts.registrationNumber} = ${registrations.registrationNumber})
  when ${registrations.status} <> 'BANK_ACC_REGISTERED' then ${registrations.endedAt}
end)`;

/** The end of the retention period of a registration's evidence. Null while its consent is in use. */
export const keptUntil = sql<Date | null>`(${outOfUseSince} + ${retention})`.mapWith(registrations.endedAt);

/** Purges what is kept for a limited time: personal data of registrations and evidence of consent. */
export function createRetention(queries: Queries, rowSeals: RowSeals) {
  const expired = (now: Date) =>
    and(
      isNull(registrations.purgedAt),
      // No period begins before its registration ends, so this condition finds by an index the few candidates. It lacks
      // the additional day, because subtracting an interval may clip the day of the month differently from adding it.
      lte(registrations.endedAt, sql`${now.toISOString()}::timestamptz - interval '5 years'`),
      lte(keptUntil, now),
      notExists(
        queries
          .select()
          .from(legalHolds)
          .where(
            and(
              eq(legalHolds.registrationNumber, registrations.registrationNumber),
              isNull(legalHolds.releasedAt),
            ),
          ),
      ),
    );

  return {
    /** How many registrations `purge` would destroy something of, as of `now`. */
    countExpired: (now: Date): Promise<number> => queries.$count(registrations, expired(now)),

    /**
     * Destroys the recording and the personal part of registrations whose retention period has ended at `now` and that no
     * legal hold keeps. Their rows stay, so their numbers stay answerable. What somebody has altered is not believed to be out
     * of use, and stays.
     * @returns the numbers of one batch; undefined when nothing is left
     */
    async purgeBatch(now: Date): Promise<string[] | undefined> {
      const altered: string[] = [];
      for (;;) {
        const batch = await purgeUnaltered(now, altered);
        if (!batch || batch.purged.length > 0) return batch?.purged;
        altered.push(...batch.altered);
      }
    },
  };

  /** @param kept the numbers that stay @returns undefined when nothing is left */
  async function purgeUnaltered(now: Date, kept: readonly string[]) {
    return await queries.transaction(async (transaction) => {
      const sealer = await rowSeals.open(transaction);
      const due = and(expired(now), notInArray(registrations.registrationNumber, [...kept]));
      const locked = await lockWithRetention(transaction, sealer, due, rowsPerBatch);
      if (locked.length === 0) return undefined;
      const authentic = locked.filter(({ alteration }) => alteration === undefined);
      const numbers: string[] = [];
      for (const { registration } of authentic) {
        const { registrationNumber } = registration;
        const seal = sealer.seal('registrations', { ...registration, purgedAt: now });
        // Checked again under the lock: waiting for the lock may have let a legal hold in.
        const purged = await transaction
          .update(registrations)
          .set({ purgedAt: now, sealedDetails: null, seal })
          .where(and(eq(registrations.registrationNumber, registrationNumber), expired(now)))
          .returning({ registrationNumber: registrations.registrationNumber });
        if (purged.length > 0) numbers.push(registrationNumber);
      }
      await transaction.delete(consentEvidence).where(inArray(consentEvidence.registrationNumber, numbers));
      const altered = locked.filter(({ alteration }) => alteration !== undefined);
      return {
        purged: numbers,
        altered: altered.map(({ registration }) => registration.registrationNumber),
      };
    });
  }
}
