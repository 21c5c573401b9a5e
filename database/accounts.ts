import { randomInt, randomUUID } from 'node:crypto';
import { and, desc, eq, exists, gt, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { lockMember } from './locked-member.ts';
import type { LockedMember } from './locked-member.ts';
import type { Owner } from './member-cipher.ts';
import { milestonesOfAccount } from './milestones.ts';
import type { RowSealer, RowSeals } from './row-seals.ts';
import { accounts, databaseTime, effectKey, effects, registrations } from './schema.ts';

/** An account that is or was registered at the payment gateway. */
export type Account = typeof accounts.$inferSelect;

/** Makes a short display ID: five digits. */
export function createAccountId(): string {
  return String(randomInt(100_000)).padStart(5, '0');
}

/** What became of a deletion. BUSY: another operation on the account is under way. */
export type Deletion =
  | { readonly state: 'DELETED'; readonly registrationNumber: string }
  | { readonly state: 'BUSY'; readonly registrationNumber?: string }
  | { readonly state: 'NO_ACCOUNT' };

/** The accounts that came of registrations. */
export function createAccounts(queries: Queries, rowSeals: RowSeals) {
  /** The accounts of a member according to both rows: an account's own could have been changed alone. */
  const isOf = ({ aspId, userId }: Owner) =>
    and(
      eq(accounts.userId, userId),
      exists(
        queries
          .select({ exists: sql`1` })
          .from(registrations)
          .where(
            and(
              eq(registrations.registrationNumber, accounts.registrationNumber),
              eq(registrations.userId, userId),
              eq(registrations.aspId, aspId),
            ),
          ),
      ),
    );

  const authentic = (rows: readonly Account[]) => rowSeals.authentic('accounts', rows);

  return {
    /** The member's active account, if there is one. @throws {AlteredRow} */
    async findActive(owner: Owner): Promise<Account | undefined> {
      const rows = await queries
        .select()
        .from(accounts)
        .where(and(isOf(owner), eq(accounts.state, 'ACTIVE')));
      return (await authentic(rows))[0];
    },

    /** The member's latest account, whether it is in use or not. @throws {AlteredRow} */
    async findLatest(owner: Owner): Promise<Account | undefined> {
      const rows = await queries
        .select()
        .from(accounts)
        .where(isOf(owner))
        .orderBy(desc(accounts.activatedAt))
        .limit(1);
      return (await authentic(rows))[0];
    },

    /** The account of a registration, if it is active. @throws {AlteredRow} */
    async findActiveOf(registrationNumber: string): Promise<Account | undefined> {
      const rows = await queries
        .select()
        .from(accounts)
        .where(and(eq(accounts.registrationNumber, registrationNumber), eq(accounts.state, 'ACTIVE')));
      return (await authentic(rows))[0];
    },

    /** All accounts the member has or had. @throws {AlteredRow} */
    async listOf(userId: string): Promise<Account[]> {
      return await authentic(await queries.select().from(accounts).where(eq(accounts.userId, userId)));
    },

    /**
     * Deletes the member's active account: it is out of use at once, and queued for removal at the payment gateway. Asked
     * for again within a day, while the member has no newer account, it answers the same.
     * @param expected the account that is meant: another one is not deleted
     * @throws {AlteredRow}
     */
    async delete(owner: Owner, expected: string): Promise<Deletion> {
      const { userId } = owner;
      return await queries.transaction(async (transaction) => {
        const sealer = await rowSeals.open(transaction);
        const member = await lockMember(transaction, sealer, userId);
        const [operation] = await transaction
          .select({ registrationNumber: registrations.registrationNumber })
          .from(registrations)
          .where(isOpenOf(userId));
        if (operation) return { state: 'BUSY', ...operation };
        const [latest] = await transaction
          .select({
            account: accounts,
            isRecent: sql<boolean>`${accounts.retiredAt} > clock_timestamp() - interval '1 day'`,
          })
          .from(accounts)
          .where(isOf(owner))
          .orderBy(desc(accounts.activatedAt))
          .limit(1);
        if (!latest) return { state: 'NO_ACCOUNT' };
        const { registrationNumber, state, replacedBy } = sealer.authentic('accounts', latest.account);
        // A newer account than the request was for.
        if (registrationNumber !== expected) return { state: 'BUSY' };
        if (state !== 'ACTIVE') {
          const isDeletion = replacedBy === null && latest.isRecent;
          return isDeletion ? { state: 'DELETED', registrationNumber } : { state: 'NO_ACCOUNT' };
        }
        if (await hasOpenAutoCharge(transaction, registrationNumber)) return { state: 'BUSY' };
        await retireAccount(transaction, sealer, member, registrationNumber);
        await member.save();
        return { state: 'DELETED', registrationNumber };
      });
    },

    /**
     * Deletes an account again, after a restore lost that: see {@link retireAccount}. `at`: when it was deleted.
     * @returns whether the account was active
     */
    async deleteAgain(
      { registrationNumber, userId }: Pick<Account, 'registrationNumber' | 'userId'>,
      at: Date,
    ): Promise<boolean> {
      return await queries.transaction(async (transaction) => {
        const sealer = await rowSeals.open(transaction);
        const member = await lockMember(transaction, sealer, userId);
        const wasActive = await retireAccount(transaction, sealer, member, registrationNumber, at);
        await member.save();
        return wasActive;
      });
    },
  };
}

/** The condition of the member's open registration that has begun. */
export function isOpenOf(userId: string) {
  return and(
    eq(registrations.userId, userId),
    isNotNull(registrations.begunAt),
    isNull(registrations.endedAt),
  );
}

/** Whether a request for auto charge may still be under way. */
async function hasOpenAutoCharge(queries: Queries, registrationNumber: string): Promise<boolean> {
  const open = and(
    eq(effects.registrationNumber, registrationNumber),
    eq(effects.kind, 'AUTO_CHARGE'),
    inArray(effects.state, ['SENT', 'ACCEPTED']),
    gt(effects.settledAt, sql`clock_timestamp()`),
  );
  return (await queries.$count(effects, open)) > 0;
}

/**
 * Changes an account under its row lock, and has its member count the milestones.
 * @param change undefined: the account stays as it is
 * @returns whether it was changed
 * @throws {AlteredRow}
 */
export async function changeAccount(
  transaction: Queries,
  sealer: RowSealer,
  member: LockedMember,
  registrationNumber: string,
  change: (account: Account, now: Date) => Partial<Account> | undefined,
): Promise<boolean> {
  const ofNumber = eq(accounts.registrationNumber, registrationNumber);
  const [found] = await transaction
    .select({ account: accounts, now: databaseTime })
    .from(accounts)
    .where(ofNumber)
    .for('no key update');
  if (!found) return false;
  const account = sealer.authentic('accounts', found.account);
  const changes = change(account, found.now);
  if (!changes) return false;
  const changed = { ...account, ...changes };
  await transaction
    .update(accounts)
    .set({ ...changes, seal: sealer.seal('accounts', changed) })
    .where(ofNumber);
  member.count(milestonesOfAccount(changed) - milestonesOfAccount(account));
  return true;
}

/**
 * Takes an active account out of use without a successor, and queues its removal at the payment gateway. Idempotent.
 * `retiredAt`: default now.
 * @returns whether the account was active
 * @throws {AlteredRow}
 */
export async function retireAccount(
  transaction: Queries,
  sealer: RowSealer,
  member: LockedMember,
  registrationNumber: string,
  retiredAt?: Date,
): Promise<boolean> {
  const retire = ({ state }: Account, now: Date) =>
    state === 'ACTIVE' ? ({ state: 'DELETED', retiredAt: retiredAt ?? now } as const) : undefined;
  const isRetired = await changeAccount(transaction, sealer, member, registrationNumber, retire);
  if (isRetired) await queueRemoval(transaction, registrationNumber);
  return isRetired;
}

/** Queues the removal of an account at the payment gateway, again if it is done already. Idempotent. */
export async function queueRemoval(queries: Queries, registrationNumber: string): Promise<void> {
  const removal = {
    registrationNumber,
    kind: 'REMOVAL',
    attempt: 1,
    state: 'SENT',
    execution: randomUUID(),
    sentAt: databaseTime,
    sendBy: databaseTime,
    settledAt: databaseTime,
    askAt: databaseTime,
    decidedAt: null,
  } as const;
  await queries
    .insert(effects)
    .values(removal)
    .onConflictDoUpdate({ target: effectKey, set: removal, setWhere: eq(effects.state, 'DONE') });
}
