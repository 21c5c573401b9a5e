import { eq } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { spendArsCode } from '../../database/ars-codes.ts';
import type { Queries } from '../../database/database.ts';
import { accountChecks, arsCalls, arsCodes } from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import { describeStores, newKey, oldKey } from './stores-fixture.ts';

describeStores((on) => {
  describe('an ARS code', () => {
    it('is valid for ten minutes', async () => {
      const member = await on.addMember();
      const code = await on.stores.arsCodes.issue(member);
      expect(await on.stores.arsCodes.findLive(member)).toEqual(code);
      const [row] = await on.database.queries
        .select()
        .from(arsCodes)
        .where(eq(arsCodes.userId, member.userId));
      const lifetime = row!.expiresAt.getTime() - Date.now();
      expect(lifetime).toBeGreaterThan(9 * 60_000);
      expect(lifetime).toBeLessThanOrEqual(10 * 60_000);
      await on.database.queries
        .update(arsCodes)
        .set({ expiresAt: new Date(Date.now() - 1) })
        .where(eq(arsCodes.userId, member.userId));
      expect(await on.stores.arsCodes.findLive(member)).toBeUndefined();
    });

    it('is issued once, however often it is asked for, until it is used or has expired', async () => {
      const member = await on.addMember();
      const copies = await Promise.all(Array.from({ length: 5 }, () => on.stores.arsCodes.issue(member)));
      expect(copies).toEqual(Array.from({ length: 5 }, () => copies[0]));
      expect(await on.stores.arsCodes.issue(member)).toEqual(copies[0]);
      await on.database.queries
        .update(arsCodes)
        .set({ expiresAt: new Date(Date.now() - 1) })
        .where(eq(arsCodes.userId, member.userId));
      const next = await on.stores.arsCodes.issue(member);
      expect(next.arsCodeId).not.toBe(copies[0]!.arsCodeId);
      await spendArsCode(on.database.queries, next.arsCodeId, 'the first');
      expect((await on.stores.arsCodes.issue(member)).arsCodeId).not.toBe(next.arsCodeId);
    });

    it('is used by the first registration only', async () => {
      const member = await on.addMember();
      const { arsCodeId } = await on.stores.arsCodes.issue(member);
      await spendArsCode(on.database.queries, arsCodeId, 'the first');
      await spendArsCode(on.database.queries, arsCodeId, 'the second');
      const [row] = await on.database.queries
        .select()
        .from(arsCodes)
        .where(eq(arsCodes.userId, member.userId));
      expect(row!.spentBy).toBe('the first');
      expect(await on.stores.arsCodes.findLive(member)).toBeUndefined();

      const next = await on.stores.arsCodes.issue(member);
      await spendArsCode(on.database.queries, arsCodeId, 'the third');
      expect(await on.stores.arsCodes.findLive(member)).toEqual(next);
    });
  });

  describe('counting the ARS calls of a day', () => {
    const limits = { member: 100, phone: 100, account: 100, provider: 100, otherPhone: 100 };
    let nextCall = 0;
    const count = (call: object, some: object, through = on.stores) => {
      const number = `${++nextCall}`.padStart(22, '0');
      const counted = {
        registrationNumber: number,
        attempt: 1,
        userId: number,
        aspId: 'A',
        phoneNumber: number,
      };
      const all = { ...counted, isOwnPhone: true, bankCode: '004', accountNumber: number, ...call };
      return on.database.queries.transaction((transaction) =>
        through.arsCalls.count(transaction, all, { ...limits, ...some }),
      );
    };

    it.for([
      ['MEMBER', 'for one member', { userId: '77001' }, { member: 3 }],
      ['PHONE', 'to one phone', { phoneNumber: '01077001' }, { phone: 3 }],
      ['ACCOUNT', 'for one account', { accountNumber: '77001' }, { account: 3 }],
      ['PHONE', 'to one phone by one provider', { phoneNumber: '01077011' }, { provider: 3 }],
      ['ACCOUNT', 'for one account by one provider', { accountNumber: '77011' }, { provider: 3 }],
      ['PHONE', 'to a foreign phone', { phoneNumber: '01077021', isOwnPhone: false }, { otherPhone: 3 }],
    ] as const)(
      'stops at the limit by %s %s, even if ten calls are counted concurrently',
      async ([limit, , same, some]) => {
        const counted = await Promise.all(Array.from({ length: 10 }, () => count(same, some)));
        expect(counted.filter((reached) => reached === undefined)).toHaveLength(3);
        expect(counted.filter((reached) => reached === limit)).toHaveLength(7);
      },
    );

    it('leaves something of a phone and of an account to other providers, and stops at the whole', async () => {
      const shares = { phone: 4, account: 4, provider: 3 };
      const same = { phoneNumber: '01077031', accountNumber: '77031' };
      for (const expected of [undefined, undefined, undefined, 'PHONE'])
        expect(await count({ ...same, aspId: 'A' }, shares)).toBe(expected);
      expect(await count({ ...same, aspId: 'B' }, shares)).toBeUndefined();
      expect(await count({ ...same, aspId: 'B' }, shares)).toBe('PHONE');
      expect(await count({ accountNumber: '77031', aspId: 'B' }, shares)).toBe('ACCOUNT');
    });

    it('counts a call to the member’s own phone, though others of its provider were to that phone', async () => {
      const foreign = { phoneNumber: '01077041', isOwnPhone: false };
      expect(await count(foreign, { otherPhone: 1 })).toBeUndefined();
      expect(await count(foreign, { otherPhone: 1 })).toBe('PHONE');
      expect(await count({ ...foreign, isOwnPhone: true }, { otherPhone: 1 })).toBeUndefined();
    });

    it('keeps equal account numbers at two banks apart', async () => {
      expect(await count({ accountNumber: '77051', bankCode: '004' }, { account: 1 })).toBeUndefined();
      expect(await count({ accountNumber: '77051', bankCode: '088' }, { account: 1 })).toBeUndefined();
      expect(await count({ accountNumber: '77051', bankCode: '088' }, { account: 1 })).toBe('ACCOUNT');
    });

    it('takes two statements, whatever the limits are', async () => {
      const statements: unknown[] = [];
      await on.database.queries.transaction(async (transaction) => {
        const watched = {
          execute: (statement: SQL) => {
            statements.push(statement);
            return transaction.execute(statement);
          },
        } as unknown as Queries;
        const call = { registrationNumber: 'Y'.repeat(22), attempt: 1, userId: '77061', aspId: 'A' };
        const rest = { phoneNumber: '01077061', isOwnPhone: true, bankCode: '004', accountNumber: '77061' };
        await on.stores.arsCalls.count(watched, { ...call, ...rest }, limits);
      });
      expect(statements).toHaveLength(2);
    });

    it.for(['+8201077771234', '010-7777-1234', '1077771234', '+82 10 7777 1234', '０１０７７７７１２３４'])(
      'counts %s as the number it is',
      async (phoneNumber) => {
        await count({ phoneNumber: '01077771234' }, {});
        expect(await count({ phoneNumber }, { phone: 1 })).toBe('PHONE');
      },
    );

    it('counts a call once, even if it is ordered repeatedly', async () => {
      const same = { registrationNumber: 'X'.repeat(22), userId: '77002' };
      for (let order = 0; order < 5; order++) expect(await count(same, { member: 1 })).toBeUndefined();
      expect(await count({ userId: '77002' }, { member: 1 })).toBe('MEMBER');
    });

    it('continues counting when the database key has changed', async () => {
      const same = { phoneNumber: '01077003' };
      expect(await count(same, { phone: 1 })).toBeUndefined();
      const renewed = createStores(on.database.queries, `${newKey},${oldKey}`);
      expect(await count(same, { phone: 1 }, renewed)).toBe('PHONE');
    });

    it('stores neither phone nor account numbers, and deletes past days only', async () => {
      await count({ phoneNumber: '01077004', accountNumber: '88004', userId: '77004' }, {});
      const rows = await on.database.queries.select().from(arsCalls).where(eq(arsCalls.userId, '77004'));
      expect(rows).toHaveLength(1);
      expect(JSON.stringify(rows)).not.toMatch(/01077004|88004/);
      const yesterday = { calledOn: '2026-01-01' };
      await on.database.queries.update(arsCalls).set(yesterday).where(eq(arsCalls.userId, '77004'));
      await count({ userId: '77005' }, {});
      await on.stores.arsCalls.deleteEarlierDays();
      const left = await on.database.queries.select({ userId: arsCalls.userId }).from(arsCalls);
      expect(left.map(({ userId }) => userId)).not.toContain('77004');
      expect(left.map(({ userId }) => userId)).toContain('77005');
    });
  });

  describe('counting the accounts that are checked for a member', () => {
    it('stops at the limit, even if ten are counted concurrently, until the next day', async () => {
      const { userId } = await on.addMember();
      const counted = await Promise.all(
        Array.from({ length: 10 }, () => on.stores.accountChecks.count(userId, 3)),
      );
      expect(counted.filter(Boolean)).toHaveLength(3);
      await on.database.queries
        .update(accountChecks)
        .set({ checkedOn: '2026-01-01' })
        .where(eq(accountChecks.userId, userId));
      expect(await on.stores.accountChecks.count(userId, 1)).toBe(true);
      expect(await on.stores.accountChecks.count(userId, 1)).toBe(false);
    });

    it('counts checks and begun registrations together', async () => {
      const member = await on.addMember();
      const number = await on.addRegistration(member);
      const isAdded = (registrationNumber: string, maxChecks: number) => {
        const rest = { bankCode: '003', arsCodeId: null, policyId: 'none', details: {} } as never;
        return on.stores.registrations.add(
          member,
          { ...(rest as object), registrationNumber } as never,
          maxChecks,
        );
      };
      expect(await on.stores.accountChecks.count(member.userId, 1)).toBe(true);
      await on.stores.registrations.begin(number);
      expect(await on.stores.accountChecks.count(member.userId, 2)).toBe(false);
      expect(await isAdded('Z'.repeat(22), 2)).toBe('CHECK_LIMIT');
      // A copy of its own request.
      expect(await isAdded(number, 2)).toBe('ADDED_BEFORE');
    });
  });
});
