import { describe, expect, it } from 'vitest';
import { reconciliations } from '../../database/schema.ts';
import { describeStores } from './stores-fixture.ts';

describeStores((on) => {
  describe('a reconciliation', () => {
    const first = { reconciliationId: 'the-first', cursor: null, size: 2 };

    it('stores each entry once, even if a page is repeated, and in the end keeps only the findings', async () => {
      const { reconciliations: store } = on.stores;
      const member = await on.addMember();
      const [active, failed] = [
        await on.addRegistration(member),
        await on.addRegistration(await on.addMember()),
      ];
      await on.register(active);
      await on.fail(failed);
      await store.begin(first.reconciliationId);
      await store.begin(first.reconciliationId);
      const late = await on.addRegistration(await on.addMember());
      await on.register(late);

      const entry = { entryId: '1', registrationNumber: failed, difference: null };
      const entries = [entry, { ...entry, entryId: '2', difference: 'OTHER_BANK' as const }];
      await store.addEntries(first.reconciliationId, []);
      for (const page of [entries, entries, [entry]]) {
        await store.addEntries(first.reconciliationId, page);
      }
      let cursor: string | null = null;
      do cursor = await store.addAccounts({ ...first, cursor });
      while (cursor !== null);

      const compared = await store.listCompared({ ...first, size: 100 }, 'ALL');
      expect(compared).toContainEqual({
        registrationNumber: failed,
        entries: 2,
        difference: 'OTHER_BANK',
        ourState: 'FAILED',
      });
      const unlisted = { entries: 0, difference: null, ourState: 'ACTIVE' };
      expect(compared).toContainEqual({ registrationNumber: active, ...unlisted });
      expect(compared.map(({ registrationNumber }) => registrationNumber)).not.toContain(late);

      const finding = {
        registrationNumber: failed,
        kind: 'UNKNOWN_TO_US',
        detail: 'FAILED_WITH_US',
      } as const;
      const others = compared.filter(({ registrationNumber }) => registrationNumber !== failed);
      const matched = others.map(({ registrationNumber }) => ({
        registrationNumber,
        kind: 'MATCHED' as const,
        detail: null,
      }));
      for (let time = 0; time < 2; time++) {
        await store.conclude(first.reconciliationId, [finding, ...matched]);
      }
      expect(await store.listCompared(first, 'FINDINGS')).toHaveLength(1);
      expect(await store.listFindings(first.reconciliationId, '', 10)).toEqual([]);
      await store.end(first.reconciliationId, null);
      const report = await store.find(first.reconciliationId);
      expect(report?.counts).toMatchObject({ MATCHED: matched.length, UNKNOWN_TO_US: 1, DIFFERENT: 0 });
      do cursor = await store.forgetMatches({ ...first, cursor });
      while (cursor !== null);
      // A repeated end must not count again: the entries it counted are deleted by now.
      await store.end(first.reconciliationId, null);
      expect(await store.list(1)).toEqual([report]);
      expect(await store.listFindings(first.reconciliationId, '', 10)).toEqual([finding]);
      expect(await store.listCompared({ ...first, size: 100 }, 'ALL')).toHaveLength(1);
    });

    it('is deleted a week after it was abandoned', async () => {
      await on.stores.reconciliations.begin('ended');
      await on.stores.reconciliations.end('ended', null);
      await on.stores.reconciliations.begin('given-up');
      const entry = { entryId: '1', registrationNumber: 'A', difference: null };
      await on.stores.reconciliations.addEntries('given-up', [entry]);
      await on.stores.reconciliations.begin('the-next');
      expect(await on.stores.reconciliations.find('given-up')).toMatchObject({ endedAt: null });
      await on.database.queries
        .update(reconciliations)
        .set({ startedAt: new Date(Date.now() - 8 * 24 * 60 * 60 * 1_000) });
      await on.stores.reconciliations.begin('the-next-but-one');
      const ids = (await on.stores.reconciliations.list(10)).map(({ reconciliationId }) => reconciliationId);
      expect(ids.filter((id) => id !== first.reconciliationId)).toEqual(['the-next-but-one', 'ended']);
    });
  });
});
