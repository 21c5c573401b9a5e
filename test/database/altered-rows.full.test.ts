import { expect, it } from 'vitest';
import { alter, describeAlteration, listAlterations } from './alterations.ts';
import { irrelevances, isMatched } from './irrelevant-columns.ts';
import { fillSmallDatabase } from './small-database.ts';
import { describeStores, oldKey } from './stores-fixture.ts';

describeStores((on) => {
  it(
    'evidence verify finds every alteration of every row that is not listed as irrelevant, and no other',
    { timeout: 600_000 },
    async () => {
      await fillSmallDatabase(on);
      const wrong: string[] = [];
      for (const alteration of await listAlterations(on)) {
        const found = await alter(on, oldKey, alteration);
        const isListed = irrelevances.some(isMatched(alteration));
        if (found && found.length > 0 === isListed) wrong.push(describeAlteration(alteration));
      }
      expect(wrong).toEqual([]);
    },
  );
});
