import { randomBytes } from 'node:crypto';
import { eq, inArray } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { memberKeys } from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import type { Stores } from '../../database/stores.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { createKey, describeStores, erasure, newKey, oldKey, rsaKeys } from './stores-fixture.ts';

describeStores((on) => {
  describe('the database keys', () => {
    async function rewrap(through: Stores): Promise<string[]> {
      const unreadable: string[] = [];
      for await (const batch of through.databaseKeys.rewrap()) unreadable.push(...batch.unreadable);
      return unreadable;
    }

    it('are rotated: everything is re-encrypted in batches, and the old key can be removed', async () => {
      const invented = Array.from({ length: 250 }, () => inventMember(on.nextUserId()));
      await on.stores.members.add('TESTASP00000001', invented);
      const altered = await on.addMember();
      await on.database.queries
        .update(memberKeys)
        .set({ sealedDataKey: randomBytes(60) })
        .where(eq(memberKeys.userId, altered.userId));
      const latest = createKey('latest');
      const rotated = createStores(on.database.queries, `${latest},${newKey},${oldKey}`);
      await rotated.databaseKeys.requireAll();
      const before = await rotated.databaseKeys.listUse();
      expect(before.map(({ databaseKeyId }) => databaseKeyId)).toEqual(['latest', 'new', 'old']);
      expect(before[0]).toMatchObject({ isActive: true, rows: 0 });

      // Interrupted after the first batch, and begun again.
      for await (const { rewrapped } of rotated.databaseKeys.rewrap()) {
        expect(rewrapped).toBeGreaterThan(100);
        break;
      }
      const unreadable = await rewrap(rotated);
      expect(unreadable).toContain(`projects/TESTASP00000001/members/${altered.userId}/data-key`);
      const total = before.reduce((sum, { rows }) => sum + rows, 0);
      expect((await rotated.databaseKeys.listUse()).map(({ rows }) => rows)).toEqual([
        total - unreadable.length,
        0,
        unreadable.length,
      ]);

      const alone = createStores(on.database.queries, latest);
      for (const { userId, ...facts } of invented) {
        await expect(alone.members.find('TESTASP00000001', userId)).resolves.toHaveProperty('facts', facts);
      }
      const project = await alone.projects.find('TESTASP00000002');
      expect(project).toMatchObject({ secretKeys: [{ secret: 'secret key of TESTASP00000002' }] });
      const { serverPrivateKey } = project!.cryptoKeys[0]!;
      expect(serverPrivateKey.export({ type: 'pkcs8', format: 'pem' })).toBe(rsaKeys.privateKey);
      await rewrap(createStores(on.database.queries, `${oldKey},${latest}`));
    });

    it('are rotated without restoring members who are erased meanwhile', async () => {
      const invented = Array.from({ length: 30 }, () => inventMember(on.nextUserId()));
      await on.stores.members.add('TESTASP00000001', invented);
      const latest = createKey('latest');
      const [, ...erasures] = await Promise.all([
        rewrap(createStores(on.database.queries, `${latest},${newKey},${oldKey}`)),
        ...invented.map(({ userId }) => on.stores.members.erase('TESTASP00000001', userId, erasure)),
      ]);
      expect(erasures).toEqual(invented.map(() => ({ state: 'ERASED' })));
      const rows = await on.database.queries
        .select({ key: memberKeys.sealedDataKey })
        .from(memberKeys)
        .where(
          inArray(
            memberKeys.userId,
            invented.map(({ userId }) => userId),
          ),
        );
      expect(rows.filter((row) => row.key !== null)).toEqual([]);
      await rewrap(createStores(on.database.queries, `${oldKey},${latest}`));
    });

    it('are named when they are missing', async () => {
      const lost = createStores(on.database.queries, newKey);
      const named = /DATABASE_KEYS lacks .*old \(seals \d+ rows\)/;
      await expect(lost.databaseKeys.requireAll()).rejects.toThrow(named);
      await expect(rewrap(lost)).rejects.toThrow('no key with the ID old');
    });
  });
});
