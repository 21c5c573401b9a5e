import { and, count, eq, inArray, lt, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { digitsOf } from '../wire/account-number.ts';
import { koreanDate } from '../contract/korean-time.ts';
import type { ArsCallLimit, ArsCallLimits } from '../contract/registration-policy.ts';
import type { KeyRing } from '../encryption/key-ring.ts';
import { canonicalPhoneNumber } from '../wire/phone-number.ts';
import type { Queries } from './database.ts';
import { arsCalls } from './schema.ts';

/** An ARS call that is about to be placed. */
export interface CountedCall {
  readonly registrationNumber: string;
  readonly attempt: number;
  readonly userId: string;
  readonly phoneNumber: string;
  readonly accountNumber: string;
}

/** The store of {@link createArsCalls}. */
export type ArsCalls = ReturnType<typeof createArsCalls>;

/** The ARS calls of today, as counted for the daily limits. */
export function createArsCalls(queries: Queries, keys: KeyRing) {
  return {
    /**
     * Counts a call in a transaction, unless a daily limit is reached. Days are those of Korea. Idempotent.
     * @returns the limit that is reached, if there is one
     */
    async count(
      transaction: Queries,
      call: CountedCall,
      limits: ArsCallLimits,
    ): Promise<ArsCallLimit | undefined> {
      const { registrationNumber, attempt, userId } = call;
      const phone = canonicalPhoneNumber(call.phoneNumber) ?? digitsOf(call.phoneNumber);
      const phoneHashes = keys.hash(phone, 'ars-calls/phone');
      const accountHashes = keys.hash(digitsOf(call.accountNumber), 'ars-calls/account');
      const calledOn = koreanDate(Date.now());

      // Counting is serialised per phone, account and member. The order is fixed, so that no deadlock arises.
      for (const subject of [userId, phoneHashes[0], accountHashes[0]].toSorted()) {
        await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended(${subject}, 0))`);
      }
      const [counted] = await transaction
        .select({ attempt: arsCalls.attempt })
        .from(arsCalls)
        .where(and(eq(arsCalls.registrationNumber, registrationNumber), eq(arsCalls.attempt, attempt)));
      if (counted) return undefined;

      const reached = async (column: PgColumn, values: readonly string[], limit: number) => {
        const [row] = await transaction
          .select({ calls: count() })
          .from(arsCalls)
          .where(and(eq(arsCalls.calledOn, calledOn), inArray(column, values)));
        return row!.calls >= limit;
      };
      if (await reached(arsCalls.userId, [userId], limits.member)) return 'MEMBER';
      if (await reached(arsCalls.phoneHash, phoneHashes, limits.phone)) return 'PHONE';
      if (await reached(arsCalls.accountHash, accountHashes, limits.account)) return 'ACCOUNT';
      await transaction.insert(arsCalls).values({
        registrationNumber,
        attempt,
        calledOn,
        userId,
        phoneHash: phoneHashes[0],
        accountHash: accountHashes[0],
      });
      return undefined;
    },

    /** Deletes the calls of earlier days. */
    async deleteEarlierDays(): Promise<void> {
      await queries.delete(arsCalls).where(lt(arsCalls.calledOn, koreanDate(Date.now())));
    },
  };
}
