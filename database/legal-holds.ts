import { and, asc, eq, isNull } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { legalHolds, members, registrations } from './schema.ts';

/** A legal hold, released or not. */
export type LegalHold = typeof legalHolds.$inferSelect;

/** Who decides something about evidence, and why; neither is a member's data. */
export interface OperatorDecision {
  readonly operator: string;
  readonly reason: string;
}

/** The legal holds that keep evidence beyond its retention. */
export function createLegalHolds(queries: Queries) {
  const inForce = isNull(legalHolds.releasedAt);

  return {
    /** Keeps the evidence of a registration until {@link release}. GONE: it was purged or its member erased before. */
    async hold(
      registrationNumber: string,
      { operator, reason }: OperatorDecision,
    ): Promise<'HELD' | 'HELD_ALREADY' | 'GONE' | 'NOT_FOUND'> {
      return await queries.transaction(async (transaction) => {
        const [registration] = await transaction
          .select({ purgedAt: registrations.purgedAt, erasedAt: members.erasedAt })
          .from(registrations)
          .innerJoin(members, eq(members.userId, registrations.userId))
          .where(eq(registrations.registrationNumber, registrationNumber))
          // The lock excludes a concurrent purge or erasure.
          .for('no key update');
        if (!registration) return 'NOT_FOUND';
        if (registration.purgedAt || registration.erasedAt) return 'GONE';
        const held = await transaction
          .insert(legalHolds)
          .values({ registrationNumber, heldBy: operator, reason })
          .onConflictDoNothing()
          .returning({ registrationNumber: legalHolds.registrationNumber });
        return held.length > 0 ? 'HELD' : 'HELD_ALREADY';
      });
    },

    /** Ends the legal hold of a registration. @returns whether there was one */
    async release(registrationNumber: string, { operator, reason }: OperatorDecision): Promise<boolean> {
      const released = await queries
        .update(legalHolds)
        .set({ releasedAt: new Date(), releasedBy: operator, releaseReason: reason })
        .where(and(eq(legalHolds.registrationNumber, registrationNumber), inForce))
        .returning({ registrationNumber: legalHolds.registrationNumber });
      return released.length > 0;
    },

    /** The legal holds in force, oldest first. */
    async list(): Promise<LegalHold[]> {
      return await queries.select().from(legalHolds).where(inForce).orderBy(asc(legalHolds.legalHoldId));
    },

    /** All legal holds a registration has or had. */
    async listOf(registrationNumber: string): Promise<LegalHold[]> {
      return await queries
        .select()
        .from(legalHolds)
        .where(eq(legalHolds.registrationNumber, registrationNumber))
        .orderBy(asc(legalHolds.legalHoldId));
    },
  };
}
