import { randomInt } from 'node:crypto';
import { and, eq, inArray } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { accounts } from './schema.ts';

/** An account that is or was registered at the payment gateway. */
export type Account = typeof accounts.$inferSelect;

/** Makes a short display ID: five digits. */
export function createAccountId(): string {
  return String(randomInt(100_000)).padStart(5, '0');
}

/** The accounts that registrations have created. */
export function createAccounts(queries: Queries) {
  return {
    /** The member's active account, if there is one. */
    async findActive(userId: string): Promise<Account | undefined> {
      const [account] = await queries
        .select()
        .from(accounts)
        .where(and(eq(accounts.userId, userId), eq(accounts.state, 'ACTIVE')));
      return account;
    },

    /** All accounts the member has or had. */
    async listOf(userId: string): Promise<Account[]> {
      return await queries.select().from(accounts).where(eq(accounts.userId, userId));
    },

    /**
     * Deactivates the member's active account for a deletion, identified by the ID of its run. Idempotent until the
     * account is removed at the payment gateway.
     * @returns the number of its registration, or null when there is none to remove.
     */
    async deactivate(userId: string, deletion: string): Promise<string | null> {
      await queries
        .update(accounts)
        .set({ state: 'DELETED', retiredAt: new Date(), retiredBy: deletion })
        .where(and(eq(accounts.userId, userId), eq(accounts.state, 'ACTIVE')));
      const [deleted] = await queries
        .select({ registrationNumber: accounts.registrationNumber })
        .from(accounts)
        .where(and(eq(accounts.retiredBy, deletion), eq(accounts.state, 'DELETED')));
      return deleted?.registrationNumber ?? null;
    },

    /** Records that an account is registered for auto charge. Idempotent: the first time stays. */
    async markAutoCharge(registrationNumber: string): Promise<void> {
      await queries
        .update(accounts)
        .set({ autoChargeSince: new Date() })
        .where(and(eq(accounts.registrationNumber, registrationNumber), eq(accounts.state, 'ACTIVE')));
    },

    /** Records that an inactive account has been removed at the payment gateway. */
    async markRemoved(registrationNumber: string): Promise<void> {
      await queries
        .update(accounts)
        .set({ state: 'REMOVED', removedAt: new Date() })
        .where(
          and(
            eq(accounts.registrationNumber, registrationNumber),
            inArray(accounts.state, ['REPLACED', 'DELETED']),
          ),
        );
    },
  };
}
