import { eq, inArray, sql } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import type { Member } from '../../database/members.ts';
import { createLegalHolds } from '../../database/legal-holds.ts';
import { PersonalDataErased } from '../../database/personal-data-erased.ts';
import { accounts, registrations } from '../../database/schema.ts';
import { reseal } from '../fixtures/reseal.ts';
import { describeStores, inventedEvidence } from './stores-fixture.ts';

describeStores((on) => {
  describe('the retention period of evidence', () => {
    const wanted = { operator: 'kim', reason: 'a court asks for it' };

    /** A registration with evidence. */
    async function addWithEvidence(member: Member): Promise<string> {
      const registrationNumber = await on.addRegistration(member);
      await on.stores.consentEvidence.store(member.cipher, { ...inventedEvidence, registrationNumber });
      return registrationNumber;
    }

    /** One whose account has been removed, and one that failed, both at `time`. */
    async function addOutOfUse(time: string): Promise<[string, string]> {
      const member = await on.addMember();
      const [removed, refused] = [await addWithEvidence(member), await addWithEvidence(member)];
      await on.register(removed);
      expect(await on.stores.accounts.delete(member, removed)).toMatchObject({ state: 'DELETED' });
      await on.stores.ledger.recordRemoval(removed);
      await on.fail(refused);
      const at = new Date(time);
      const { queries } = on.database;
      await queries.update(accounts).set({ removedAt: at }).where(eq(accounts.registrationNumber, removed));
      await queries
        .update(registrations)
        .set({ endedAt: at })
        .where(inArray(registrations.registrationNumber, [removed, refused]));
      await reseal(on);
      return [removed, refused];
    }

    const isKept = async (number: string) => (await on.stores.consentEvidence.find(number)) !== undefined;
    async function purge(now: string): Promise<number> {
      let purged = 0;
      for (;;) {
        const batch = await on.stores.retention.purgeBatch(new Date(now));
        if (!batch) break;
        purged += batch.length;
      }
      return purged;
    }

    it('is five years from the day after the consent was last used', async () => {
      const numbers = await addOutOfUse('1990-02-28T12:00:00Z');
      await purge('1995-03-01T11:59:59Z');
      for (const number of numbers) expect(await isKept(number)).toBe(true);
      expect(await on.stores.retention.countExpired(new Date('1995-03-01T12:00:00Z'))).toBe(2);
      expect(await purge('1995-03-01T12:00:00Z')).toBe(2);
      for (const number of numbers) {
        expect(await isKept(number)).toBe(false);
        const record = await on.stores.registrations.find('TESTASP00000001', number);
        expect(record).toMatchObject({ purgedAt: new Date('1995-03-01T12:00:00Z') });
        await expect(on.stores.registrations.openAny(number)).rejects.toThrow(PersonalDataErased);
      }
      expect(await purge('1995-03-01T12:00:00Z')).toBe(0);
    });

    it('does not begin while an account is in use or awaits removal, or while a registration runs', async () => {
      const member = await on.addMember();
      const [replaced, active, running] = [
        await addWithEvidence(member),
        await addWithEvidence(member),
        await addWithEvidence(member),
      ];
      await on.register(replaced);
      await on.register(active);
      const long = new Date('1970-01-01T00:00:00Z');
      await on.database.queries.update(accounts).set({ activatedAt: long, retiredAt: long });
      await on.database.queries.update(registrations).set({ createdAt: long });
      await reseal(on);
      await purge('2000-01-01T00:00:00Z');
      for (const number of [replaced, active, running]) expect(await isKept(number)).toBe(true);
    });

    it('lasts at least as long as a legal hold', async () => {
      const [held, free] = await addOutOfUse('1990-01-01T00:00:00Z');
      expect(await on.stores.legalHolds.hold(held, wanted)).toBe('HELD');
      expect(await on.stores.legalHolds.hold(held, wanted)).toBe('HELD_ALREADY');
      expect(await purge('2000-01-01T00:00:00Z')).toBe(1);
      expect([await isKept(held), await isKept(free)]).toEqual([true, false]);
      expect(await on.stores.legalHolds.hold(free, wanted)).toBe('GONE');
      expect(await on.stores.legalHolds.list()).toMatchObject([{ registrationNumber: held, heldBy: 'kim' }]);

      expect(await on.stores.legalHolds.release(held, wanted)).toBe(true);
      expect(await on.stores.legalHolds.release(held, wanted)).toBe(false);
      expect(await purge('2000-01-01T00:00:00Z')).toBe(1);
      expect(await isKept(held)).toBe(false);
      expect(await on.stores.legalHolds.listOf(held)).toMatchObject([{ releasedBy: 'kim' }]);
      expect(await on.stores.legalHolds.list()).toEqual([]);
      expect(await on.stores.legalHolds.hold('A'.repeat(22), wanted)).toBe('NOT_FOUND');
    });

    it('is extended by a legal hold that is placed while the purge waits for the row', async () => {
      const [held, free] = await addOutOfUse('1990-01-01T00:00:00Z');
      const ofOurs = sql`datname = current_database() and wait_event_type = 'Lock'`;
      const waiting = () => on.database.queries.$count(sql`pg_stat_activity`, ofOurs);
      let purging: Promise<number> | undefined;
      await on.database.queries.transaction(async (transaction) => {
        await createLegalHolds(transaction, on.stores.rowSeals).hold(held, wanted);
        purging = purge('2000-01-01T00:00:00Z');
        // The embedded database has one connection: there the purge waits for that, not for the row.
        const isWaiting = async () => on.databaseName === 'PGlite' || (await waiting()) === 1;
        await vi.waitUntil(isWaiting, { timeout: 10_000 });
      });
      expect(await purging).toBe(1);
      expect(await on.stores.legalHolds.listOf(held)).toHaveLength(1);
      expect([await isKept(held), await isKept(free)]).toEqual([true, false]);
      await on.stores.legalHolds.release(held, wanted);
      expect(await purge('2000-01-01T00:00:00Z')).toBe(1);
    });

    it('ends for all evidence, in several batches', async () => {
      const member = await on.addMember();
      const numbers: string[] = [];
      // Few at once, as a connection is waited for only for seconds.
      while (numbers.length < 250) {
        numbers.push(...(await Promise.all(Array.from({ length: 10 }, () => on.addRegistration(member)))));
      }
      const endedAt = new Date('1990-01-01T00:00:00Z');
      await on.database.queries
        .update(registrations)
        .set({ status: 'BANK_ACC_REG_FAILED', resultCode: '002_016', endedAt })
        .where(inArray(registrations.registrationNumber, numbers));
      await reseal(on);
      expect(await purge('2000-01-01T00:00:00Z')).toBe(250);
      for (const number of numbers)
        await expect(on.stores.registrations.openAny(number)).rejects.toThrow('purged');
    });
  });
});
