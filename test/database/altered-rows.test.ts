import { beforeAll, describe, expect, it } from 'vitest';
import { alter, describeAlteration, listAlterations, listFound, tables } from './alterations.ts';
import type { Alteration } from './alterations.ts';
import { irrelevances, isMatched } from './irrelevant-columns.ts';
import { fillSmallDatabase } from './small-database.ts';
import { describeStores, oldKey } from './stores-fixture.ts';

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
  });
});

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
