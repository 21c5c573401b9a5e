import { and, asc, eq, isNotNull, isNull } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { lockRegistration } from './locked-registration.ts';
import type { LockedRegistration } from './locked-registration.ts';
import type { RowSeals } from './row-seals.ts';
import { databaseTime, legalHolds, members, registrations } from './schema.ts';

/** A legal hold, released or not. */
export type LegalHold = typeof legalHolds.$inferSelect;

/** Who decides something about evidence, and why; neither is a member's data. */
export interface OperatorDecision {
  readonly operator: string;
  readonly reason: string;
}

/** The legal holds that keep evidence beyond its retention. */
export function createLegalHolds(queries: Queries, rowSeals: RowSeals) {
  const inForce = isNull(legalHolds.releasedAt);
  const byTime = [asc(legalHolds.heldAt), asc(legalHolds.ordinal)];
  const authentic = (rows: readonly LegalHold[]) => rowSeals.authentic('legalHolds', rows);

  return {
    /** Keeps the evidence of a registration until {@link release}. GONE: it was purged or its member erased before. */
    async hold(
      registrationNumber: string,
      { operator, reason }: OperatorDecision,
    ): Promise<'HELD' | 'HELD_ALREADY' | 'GONE' | 'NOT_FOUND'> {
      const ofNumber = eq(registrations.registrationNumber, registrationNumber);
      if ((await queries.$count(registrations, ofNumber)) === 0) return 'NOT_FOUND';
      type Outcome = { readonly outcome: 'HELD' | 'HELD_ALREADY' | 'GONE' };
      const work = async (locked: LockedRegistration): Promise<Outcome> => {
        const { transaction, sealer, now, row } = locked;
        // The lock excludes a concurrent purge or erasure.
        const erased = and(eq(members.userId, row.userId), isNotNull(members.erasedAt));
        if (row.purgedAt || (await transaction.$count(members, erased)) > 0) return { outcome: 'GONE' };
        const ordinal = row.legalHolds + 1;
        const released = { releasedAt: null, releasedBy: null, releaseReason: null };
        const held = { registrationNumber, ordinal, heldAt: now, heldBy: operator, reason, ...released };
        const added = await transaction
          .insert(legalHolds)
          .values({ ...held, seal: sealer.seal('legalHolds', held) })
          .onConflictDoNothing()
          .returning({ ordinal: legalHolds.ordinal });
        if (added.length === 0) return { outcome: 'HELD_ALREADY' };
        locked.change({ legalHolds: ordinal });
        return { outcome: 'HELD' };
      };
      return (await lockRegistration(queries, rowSeals, registrationNumber, work)).outcome;
    },

    /** Ends the legal hold of a registration. @returns whether there was one @throws {AlteredRow} */
    async release(registrationNumber: string, { operator, reason }: OperatorDecision): Promise<boolean> {
      return await queries.transaction(async (transaction) => {
        const sealer = await rowSeals.open(transaction);
        const ofIt = and(eq(legalHolds.registrationNumber, registrationNumber), inForce);
        const [found] = await transaction
          .select({ hold: legalHolds, now: databaseTime })
          .from(legalHolds)
          .where(ofIt)
          .for('update');
        if (!found) return false;
        const hold = sealer.authentic('legalHolds', found.hold);
        const changes = { releasedAt: found.now, releasedBy: operator, releaseReason: reason };
        await transaction
          .update(legalHolds)
          .set({ ...changes, seal: sealer.seal('legalHolds', { ...hold, ...changes }) })
          .where(ofIt);
        return true;
      });
    },

    /** The legal holds in force, oldest first. @throws {AlteredRow} */
    async list(): Promise<LegalHold[]> {
      return await authentic(
        await queries
          .select()
          .from(legalHolds)
          .where(inForce)
          .orderBy(...byTime),
      );
    },

    /** All legal holds a registration has or had. @throws {AlteredRow} */
    async listOf(registrationNumber: string): Promise<LegalHold[]> {
      return await authentic(
        await queries
          .select()
          .from(legalHolds)
          .where(eq(legalHolds.registrationNumber, registrationNumber))
          .orderBy(...byTime),
      );
    },
  };
}
