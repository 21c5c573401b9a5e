import { lt, sql } from 'drizzle-orm';
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
  readonly aspId: string;
  readonly phoneNumber: string;
  /** Whether it is the phone number stored of the member. */
  readonly isOwnPhone: boolean;
  readonly bankCode: string;
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
      const { registrationNumber, attempt, userId, aspId, isOwnPhone } = call;
      const phone = canonicalPhoneNumber(call.phoneNumber) ?? digitsOf(call.phoneNumber);
      const phoneHashes = keys.hash(phone, 'ars-calls/phone');
      const account = `${call.bankCode}/${digitsOf(call.accountNumber)}`;
      const accountHashes = keys.hash(account, 'ars-calls/account');
      const calledOn = koreanDate(Date.now());

      // Counting is serialised per phone, account and member. The order is fixed, so that no deadlock arises. What others
      // counted before is seen by the next statement only.
      const subjects = [userId, phoneHashes[0], accountHashes[0]].toSorted();
      await transaction.execute(
        sql`select pg_advisory_xact_lock(hashtextextended(subject, 0)) from unnest(${listOf(subjects)}) as subject`,
      );
      const { rows } = (await transaction.execute(sql`
        with today as (
          select user_id, asp_id, is_own_phone,
            phone_hash = any(${listOf(phoneHashes)}) as is_phone, account_hash = any(${listOf(accountHashes)}) as is_account
          from ars_calls
          where called_on = ${calledOn} and
            (user_id = ${userId} or phone_hash = any(${listOf(phoneHashes)}) or account_hash = any(${listOf(accountHashes)}))
        ), reached as (
          select case
            when exists (
              select from ars_calls where registration_number = ${registrationNumber} and attempt = ${attempt}
            ) then null
            when count(*) filter (where user_id = ${userId}) >= ${limits.member} then 'MEMBER'
            when count(*) filter (where is_phone) >= ${limits.phone}
              or count(*) filter (where is_phone and asp_id = ${aspId}) >= ${limits.provider}
              or not ${isOwnPhone}::boolean
                and count(*) filter (where is_phone and asp_id = ${aspId} and not is_own_phone) >= ${limits.otherPhone}
              then 'PHONE'
            when count(*) filter (where is_account) >= ${limits.account}
              or count(*) filter (where is_account and asp_id = ${aspId}) >= ${limits.provider}
              then 'ACCOUNT'
          end as "limit" from today
        ), counted as (
          insert into ars_calls
            (registration_number, attempt, called_on, user_id, asp_id, phone_hash, is_own_phone, account_hash)
          select ${registrationNumber}, ${attempt}::integer, ${calledOn}::date, ${userId}, ${aspId},
            ${phoneHashes[0]}, ${isOwnPhone}::boolean, ${accountHashes[0]}
          from reached where "limit" is null
          on conflict do nothing
        )
        select "limit" from reached`)) as { rows: [{ limit: ArsCallLimit | null }] };
      return rows[0].limit ?? undefined;
    },

    /** Deletes the calls of earlier days. */
    async deleteEarlierDays(): Promise<void> {
      await queries.delete(arsCalls).where(lt(arsCalls.calledOn, koreanDate(Date.now())));
    },
  };
}

function listOf(texts: readonly string[]) {
  return sql`array[${sql.join(
    texts.map((text) => sql`${text}`),
    sql`, `,
  )}]::text[]`;
}
