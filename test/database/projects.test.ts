import { randomBytes } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { accessKeys, cryptoKeys, secretKeys } from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import { describeStores, newProject, oldKey } from './stores-fixture.ts';

describeStores((on) => {
  it('leaves a project with complete sets of keys when they are renewed and retired concurrently', async () => {
    const aspId = 'TESTASP00000003';
    await on.stores.projects.add({ ...newProject, aspId, accessKey: 'first', cryptoKeyId: 'first' });
    const states = async (table: typeof accessKeys | typeof secretKeys | typeof cryptoKeys) =>
      await on.database.queries.$count(table, and(eq(table.aspId, aspId), eq(table.state, 'ACTIVE')));
    for (let round = 0; round < 20; round++) {
      const name = `${round} ${randomBytes(4).toString('hex')}`;
      const second = { ...newProject, accessKey: `access key ${name}`, cryptoKeyId: `crypto key ${name}` };
      await Promise.all([
        on.stores.projects.renewKeys(aspId, second),
        on.stores.projects.retireKeys(aspId),
        on.stores.projects.retireKeys(aspId),
      ]);
      const [access, secret, crypto] = [
        await states(accessKeys),
        await states(secretKeys),
        await states(cryptoKeys),
      ];
      expect([secret, crypto]).toEqual([access, access]);
      await on.stores.projects.retireKeys(aspId);
    }
  });

  it('costs no query of its own to look for with a wrong access key, whether or not it exists', async () => {
    const aspId = 'TESTASP00000004';
    await on.stores.projects.add({ ...newProject, aspId, accessKey: 'fourth', cryptoKeyId: 'fourth' });
    let queried = 0;
    const counting = new Proxy(on.database.queries, {
      get: (target, name) => {
        if (name === 'select') queried++;
        return Reflect.get(target, name) as unknown;
      },
    });
    const { projects } = createStores(counting, oldKey);
    for (let guess = 0; guess < 50; guess++) {
      expect(await projects.findByAccessKey(`NOSUCHASP${guess}`, 'fourth')).toBeUndefined();
      expect(await projects.findByAccessKey(aspId, `wrong ${guess}`)).toBeUndefined();
    }
    // Every second the keys in use are read again.
    expect(queried).toBeLessThan(10);
    queried = 0;
    expect(await projects.findByAccessKey(aspId, 'fourth')).toMatchObject({ aspId, state: 'ACTIVE' });
    expect(queried).toBeLessThanOrEqual(2);
  });

  it('is read by whoever was reading it while it is changed', async () => {
    const aspId = 'TESTASP00000001';
    on.stores.projects.forgetRecent();
    const reading = [
      on.stores.projects.find(aspId),
      on.stores.projects.findByAccessKey(aspId, `access key of ${aspId}`),
    ];
    on.stores.projects.forgetRecent();
    expect(await Promise.all(reading)).toMatchObject([{ aspId }, { aspId }]);
    const again = on.stores.projects.find(aspId);
    await on.stores.projects.setNotificationUrl(aspId, null);
    expect(await again).toMatchObject({ aspId });
  });

  describe('a discarded project', () => {
    it('cannot be activated again', async () => {
      const aspId = 'TESTSETSTATE000';
      const keys = { aspId, accessKey: 'set-state', cryptoKeyId: 'set-state' };
      expect(await on.stores.projects.setState(aspId, 'ACTIVE')).toBe(false);
      expect(await on.stores.projects.add({ ...newProject, ...keys })).toBe(true);
      expect(await on.stores.projects.add({ ...newProject, ...keys })).toBe(false);
      for (const state of ['INACTIVE', 'ACTIVE', 'DISCARDED', 'DISCARDED'] as const) {
        expect(await on.stores.projects.setState(aspId, state)).toBe(true);
      }
      for (const state of ['INACTIVE', 'ACTIVE'] as const) {
        await expect(on.stores.projects.setState(aspId, state)).rejects.toThrow('discarded permanently');
      }
      expect((await on.stores.projects.find(aspId))?.state).toBe('DISCARDED');
    });
  });
});
