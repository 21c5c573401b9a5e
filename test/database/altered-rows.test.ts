import { and, eq, isNull, sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Queries } from '../../database/database.ts';
import { AlteredRow } from '../../database/row-seals.ts';
import {
  accessKeys,
  accounts,
  bankWindows,
  consentEvidence,
  effects,
  legalHolds,
  policies,
  projects,
  registrations,
  resultNotifications,
} from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import type { Stores } from '../../database/stores.ts';
import type { RegistrationStatus } from '../../wire/registration-status.ts';
import { reseal } from '../fixtures/reseal.ts';
import { alter, describeAlteration, listAlterations, listFound, tables } from './alterations.ts';
import type { Alteration } from './alterations.ts';
import { irrelevances, isMatched } from './irrelevant-columns.ts';
import { fillSmallDatabase } from './small-database.ts';
import { describeStores, inventedEvidence, oldKey } from './stores-fixture.ts';
import type { StoresFixture } from './stores-fixture.ts';

const aspId = 'TESTASP00000001';

describeStores((on) => {
  describe('in a small database with rows in every table', () => {
    let alterations: readonly Alteration[];
    beforeAll(async () => {
      await fillSmallDatabase(on);
      alterations = await listAlterations(on);
    });

    it('evidence verify finds nothing', async () => {
      expect(await listFound(on.database.queries, oldKey)).toEqual([]);
      const withRows = new Set(alterations.map(({ table }) => table));
      expect(tables.map(([name]) => name).filter((name) => !withRows.has(name))).toEqual([]);
    });

    it('evidence verify finds any one column that is changed, and any one row that is deleted', async () => {
      const missed: string[] = [];
      for (const alteration of sampleOf(alterations)) {
        if (irrelevances.some(isMatched(alteration))) continue;
        if ((await alter(on, oldKey, alteration))?.length === 0) missed.push(describeAlteration(alteration));
      }
      expect(missed).toEqual([]);
    });

    it('what may be changed without notice is listed with a reason, and nothing else is', async () => {
      const found: string[] = [];
      for (const alteration of sampleOf(alterations)) {
        if (!irrelevances.some(isMatched(alteration))) continue;
        if ((await alter(on, oldKey, alteration))?.length) found.push(describeAlteration(alteration));
      }
      expect(found).toEqual([]);
      const stale = irrelevances.filter((entry) => !alterations.some((one) => isMatched(one)(entry)));
      expect(stale).toEqual([]);
    });

    it('a deleted registration is missed, even if everything that belongs to it is deleted too', async () => {
      const found = await attack(on, async (queries) => {
        const number = await numberOf(queries, 'BANK_ACC_REG_FAILED');
        await queries.delete(resultNotifications).where(eq(resultNotifications.registrationNumber, number));
        await queries.delete(registrations).where(eq(registrations.registrationNumber, number));
        return await listFound(queries, oldKey);
      });
      expect(found).toEqual([missing(10, 9)]);
    });

    it('a registered one is missed, too, though a copy of its row is left under an empty number', async () => {
      const found = await attack(on, async (queries) => {
        const number = await numberOf(queries, 'BANK_ACC_REGISTERED');
        const ofIt = eq(registrations.registrationNumber, number);
        const [row] = await queries.select().from(registrations).where(ofIt);
        for (const table of [consentEvidence, accounts, effects, resultNotifications, legalHolds])
          await queries.delete(table).where(eq(table.registrationNumber, number));
        await queries.delete(registrations).where(ofIt);
        await queries.insert(registrations).values({ ...row!, registrationNumber: '' });
        return await listFound(queries, oldKey);
      });
      expect(found).toEqual([': the registration was altered', missing(10, 5)]);
    });

    it('an open one is missed, too, once its evidence was stored', async () => {
      const found = await attack(on, async (queries) => {
        const [row] = await queries
          .select()
          .from(registrations)
          .where(eq(registrations.status, 'ARS_AUTH_DONE'));
        for (const table of [consentEvidence, effects, registrations])
          await queries.delete(table).where(eq(table.registrationNumber, row!.registrationNumber));
        return await listFound(queries, oldKey);
      });
      expect(found).toEqual([missing(1, 0)]);
    });

    it('an account that is put back as it was before its deletion is found', async () => {
      const found = await attack(on, async (queries, { stores }) => {
        const [before] = await queries.select().from(accounts).where(eq(accounts.state, 'ACTIVE'));
        const { registrationNumber, userId } = before!;
        await stores.accounts.delete({ aspId, userId }, registrationNumber);
        await stores.ledger.recordRemoval(registrationNumber);
        expect(await listFound(queries, oldKey)).toEqual([]);
        await queries
          .update(accounts)
          .set(before!)
          .where(eq(accounts.registrationNumber, registrationNumber));
        return await listFound(queries, oldKey);
      });
      expect(found).toEqual([missing(12, 10)]);
    });

    it('evidence of another call than the one that was passed is found', async () => {
      const found = await attack(on, async (queries, parts) => {
        const number = await numberOf(queries, 'ARS_AUTH_DONE');
        const ofIt = eq(consentEvidence.registrationNumber, number);
        await queries.delete(consentEvidence).where(ofIt);
        const { member } = await parts.stores.registrations.openAny(number);
        const other = { ...inventedEvidence, callId: 'CALL00000002', registrationNumber: number };
        await parts.stores.consentEvidence.store(member.cipher, other);
        return await listFound(queries, oldKey);
      });
      expect(found).toEqual([
        expect.stringContaining('that of another call than the one that the member passed'),
      ]);
    });

    it('the time in a number must be that of its row', async () => {
      const found = await attack(on, async (queries, parts) => {
        const createdAt = new Date('2020-01-01T00:00:00Z');
        const number = await numberOf(queries, 'BANK_ACC_REGISTERED');
        await queries
          .update(registrations)
          .set({ createdAt })
          .where(eq(registrations.registrationNumber, number));
        await reseal(parts);
        return await listFound(queries, oldKey);
      });
      expect(found).toEqual([expect.stringContaining('the time in its number is not that of its row')]);
    });

    it('an altered registration is neither shown nor decided, so no alteration is sealed as ours', async () => {
      await attack(on, async (queries, { stores }) => {
        const number = await numberOf(queries, 'ARS_AUTH_IN_PROGRESS');
        await queries
          .update(registrations)
          .set({ bankCode: '088' })
          .where(eq(registrations.registrationNumber, number));
        await expect(stores.ledger.cancel(number)).rejects.toThrow(AlteredRow);
        await expect(stores.registrations.find(aspId, number)).rejects.toThrow(AlteredRow);
        await expect(stores.registrations.list(aspId, { limit: 100 })).rejects.toThrow(AlteredRow);
        await expect(stores.registrations.loadAny(number)).rejects.toThrow(AlteredRow);
      });
    });

    it('an altered account is not shown', async () => {
      await attack(on, async (queries, { stores }) => {
        await queries.update(accounts).set({ accountId: '00000' });
        const [{ userId }] = (await queries.select().from(accounts).where(eq(accounts.state, 'ACTIVE'))) as [
          typeof accounts.$inferSelect,
        ];
        await expect(stores.accounts.findActive({ aspId, userId })).rejects.toThrow(AlteredRow);
      });
    });

    it('results are sent to no notification URL that somebody else has set', async () => {
      await attack(on, async (queries, { stores }) => {
        await queries.update(projects).set({ notificationUrl: 'https://thief.example/' });
        await expect(stores.projects.find(aspId)).rejects.toThrow(AlteredRow);
        const closing = stores.projects.setAcceptsAllInstitutions(aspId, true);
        await expect(closing).rejects.toThrow(AlteredRow);
      });
    });

    it('no result is recorded while somebody else has emptied the notification URL', async () => {
      await attack(on, async (queries, { stores }) => {
        const number = await numberOf(queries, 'ARS_AUTH_IN_PROGRESS');
        const setUrl = async (notificationUrl: string | null) =>
          await queries.update(projects).set({ notificationUrl }).where(eq(projects.aspId, aspId));
        const [{ notificationUrl }] = (await queries
          .select()
          .from(projects)
          .where(eq(projects.aspId, aspId))) as [typeof projects.$inferSelect];
        await setUrl(null);
        await expect(stores.ledger.cancel(number)).rejects.toThrow(AlteredRow);
        await setUrl(notificationUrl);
        await stores.ledger.cancel(number);
        expect(await stores.resultNotifications.find(number)).toMatchObject({ resultCode: '002_914' });
      });
    });

    it('a key that somebody else has activated is not used', async () => {
      await attack(on, async (queries, { stores }) => {
        await queries.update(accessKeys).set({ state: 'ACTIVE' });
        await expect(stores.projects.find(aspId)).rejects.toThrow(AlteredRow);
      });
    });

    it('a bank window and a policy that somebody else has changed are not applied', async () => {
      await attack(on, async (queries, { stores }) => {
        await queries.update(bankWindows).set({ bankCode: '003' });
        await expect(stores.bankWindows.closedUntil('003', Date.now())).rejects.toThrow(AlteredRow);
        const [row] = await queries.select().from(policies);
        await queries.update(policies).set({ policy: { ...row!.policy, limits: 'none' } as never });
        await expect(stores.policies.get(row!.policyId)).rejects.toThrow(AlteredRow);
      });
    });

    it('evidence whose hold or dates somebody else has changed is not purged', async () => {
      await attack(on, async (queries, { stores }) => {
        await queries.delete(legalHolds);
        const longAgo = new Date('2010-01-01T00:00:00Z');
        await queries.update(accounts).set({ removedAt: longAgo });
        await queries.update(registrations).set({ endedAt: longAgo });
        const before = await queries.$count(consentEvidence);
        expect(await stores.retention.purgeBatch(new Date())).toBeUndefined();
        expect(await queries.$count(consentEvidence)).toBe(before);
      });
    });
  });
});

/** What is said of a member of whose milestones only some are stored. */
const missing = (passed: number, stored: number) =>
  expect.stringMatching(
    `^member [0-9]+: its registrations and accounts have passed ${passed} milestones, but ${stored} are stored`,
  ) as string;

/** What somebody does whom no foreign key holds up; it is undone. */
async function attack<Result>(
  on: StoresFixture,
  work: (queries: Queries, parts: Parameters<typeof reseal>[0] & { stores: Stores }) => Promise<Result>,
): Promise<Result> {
  const undone = new Error('undone');
  let result: Result;
  try {
    await on.database.queries.transaction(async (transaction) => {
      await transaction.execute(sql`set local session_replication_role = replica`);
      const stores = createStores(transaction, oldKey);
      result = await work(transaction, { database: { queries: transaction }, stores });
      throw undone;
    });
  } catch (error) {
    if (error !== undone) throw error;
  }
  return result!;
}

async function numberOf(queries: Queries, status: RegistrationStatus): Promise<string> {
  const [row] = await queries
    .select()
    .from(registrations)
    .where(
      and(
        eq(registrations.status, status),
        isNull(registrations.withdrawnAt),
        isNull(registrations.purgedAt),
      ),
    );
  return row!.registrationNumber;
}

/** One for each kind of alteration of each column, in another row each time. All of them: `altered-rows.full.test.ts`. */
function sampleOf(alterations: readonly Alteration[]): Alteration[] {
  const byKind = new Map<string, Alteration[]>();
  for (const alteration of alterations) {
    const { table, column, kind } = alteration;
    const name = `${table} ${column} ${kind}`;
    byKind.set(name, [...(byKind.get(name) ?? []), alteration]);
  }
  return [...byKind.values()].map((same, index) => same[index % same.length]!);
}
