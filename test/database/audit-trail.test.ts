import { getTableColumns, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { formatHead, parseHead } from '../../database/audit-trail.ts';
import type { Act } from '../../database/audit-trail.ts';
import { auditTrail } from '../../database/schema.ts';
import { enterOperators, readOperators } from '../../database/operators.ts';
import { createStores } from '../../database/stores.ts';
import { createKey, describeStores, oldKey } from './stores-fixture.ts';

const kim = { name: 'kim', origin: 'kim@station' };

describeStores((on) => {
  const enter = (...acts: readonly Act[]) =>
    on.stores.act(
      kim,
      async () => {},
      () => acts,
    );
  const set = (aspId: string, details: Act['details'] = {}): Act => ({
    action: 'project state',
    aspId,
    details,
  });

  /** Changes the database as nobody of ours may, and undoes it. */
  async function tamper(statement: SQL | readonly SQL[], check: () => Promise<void>): Promise<void> {
    const execute = (...statements: readonly SQL[]) =>
      on.database.queries.transaction(async (transaction) => {
        await transaction.execute(sql`set local session_replication_role = replica`);
        for (const each of statements) await transaction.execute(each);
      });
    await execute(
      sql`drop table if exists kept`,
      sql`create table kept as table audit_trail`,
      ...[statement].flat(),
    );
    try {
      await check();
    } finally {
      await execute(
        sql`delete from audit_trail`,
        sql`insert into audit_trail table kept`,
        sql`drop table kept`,
      );
    }
  }

  it('has an entry for each act, in the order of the acts, with who, what, on what, why, when and from where', async () => {
    const startedAt = Date.now();
    await on.stores.act(
      kim,
      (acting) => acting.projects.setState('TESTASP00000001', 'INACTIVE'),
      () => ({ ...set('TESTASP00000001', { state: 'INACTIVE' }), reason: 'a ticket' }),
    );
    expect((await on.stores.projects.find('TESTASP00000001'))?.state).toBe('INACTIVE');
    const [entry] = (await on.stores.auditTrail.list({ aspId: 'TESTASP00000001' })).slice(-1);
    expect(entry).toMatchObject({
      actor: 'kim',
      action: 'project state',
      details: '{"state":"INACTIVE"}',
      reason: 'a ticket',
      origin: expect.stringMatching(/^kim@station( \([\d.]+\))?$/),
    });
    expect(entry!.at.getTime()).toBeGreaterThan(startedAt - 60_000);
  });

  it('has no entry for an act that failed, and the act is undone with an entry that failed', async () => {
    const before = await on.stores.auditTrail.head();
    const failed = on.stores.act(
      kim,
      async (acting) => {
        await acting.projects.setState('TESTASP00000002', 'INACTIVE');
        throw new Error('refused');
      },
      () => set('TESTASP00000002'),
    );
    await expect(failed).rejects.toThrow('refused');
    const unwritten = on.stores.act(
      { ...kim, name: null as never },
      (acting) => acting.projects.setState('TESTASP00000002', 'INACTIVE'),
      () => set('TESTASP00000002'),
    );
    await expect(unwritten).rejects.toThrow('Failed query');
    expect(await on.stores.auditTrail.head()).toEqual(before);
    on.stores.projects.forgetRecent();
    expect((await on.stores.projects.find('TESTASP00000002'))?.state).toBe('ACTIVE');
  });

  const forgedTriggers = {
    drops: {
      body: 'begin return null; end',
      trigger: 'trigger forged before insert on audit_trail for each row execute function forged()',
    },
    changes: {
      body: "begin new.actor := 'lee'; return new; end",
      trigger: 'trigger forged before insert on audit_trail for each row execute function forged()',
    },
    deletes: {
      body: "begin perform set_config('session_replication_role', 'replica', true); delete from audit_trail where sequence = new.sequence; return null; end",
      trigger:
        'constraint trigger forged after insert on audit_trail deferrable initially deferred for each row execute function forged()',
    },
  };

  /** Adds a trigger of somebody else, and takes it out again. */
  async function withTrigger(
    { body, trigger }: (typeof forgedTriggers)['drops'],
    check: () => Promise<void>,
  ): Promise<void> {
    const { queries } = on.database;
    await queries.execute(
      sql.raw(`create function forged() returns trigger language plpgsql as $$ ${body} $$`),
    );
    await queries.execute(sql.raw(`create ${trigger}`));
    try {
      await check();
    } finally {
      await queries.execute(sql`drop function forged cascade`);
    }
  }

  it.for(['drops', 'changes', 'deletes'] as const)('an act fails whose entry a trigger %s', async (what) => {
    await withTrigger(forgedTriggers[what], async () => {
      const act = on.stores.act(
        kim,
        (acting) => acting.projects.setState('TESTASP00000002', 'ACTIVE'),
        () => set('TESTASP00000002'),
      );
      // What is deleted only at the end of the transaction is noticed only after it.
      await expect(act).rejects.toThrow(what === 'deletes' ? 'This was done, but entry' : 'has not written');
    });
    expect(await on.stores.auditTrail.verify()).toMatchObject({ state: 'INTACT' });
  });

  it('numbers concurrent acts without gaps', async () => {
    const first = (await on.stores.auditTrail.head())?.sequence ?? 0;
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => enter(set(`${index}`), set(`${index} again`))),
    );
    const finding = await on.stores.auditTrail.verify();
    expect(finding).toMatchObject({ state: 'INTACT', head: { sequence: first + 20 } });
    const entries = await on.stores.auditTrail.list({}, first);
    expect(entries.map(({ aspId }) => aspId).filter((_, index) => index % 2 === 1)).toEqual(
      entries.map(({ aspId }) => `${aspId} again`).filter((_, index) => index % 2 === 0),
    );
  });

  it.for([
    ['changes', sql`update audit_trail set reason = 'another'`],
    ['deletes from', sql`delete from audit_trail`],
    ['empties', sql`truncate audit_trail`],
  ] as const)('refuses whoever %s it', async ([, statement]) => {
    await enter(set('kept'));
    await expect(on.database.queries.execute(statement)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('The audit trail is append-only') },
    });
  });

  it('shows any change of any column', async () => {
    const requested = { ...set('all'), userId: '1', registrationNumber: '2', reason: 'a', approves: 900 };
    await enter(requested, set('later'));
    const { sequence } = (await on.stores.auditTrail.list({ aspId: 'all' })).at(-1)!;
    const columns = {
      at: sql`at + interval '1 millisecond'`,
      actor: sql`'lee'`,
      action: sql`'project add'`,
      asp_id: sql`null`,
      user_id: sql`'2'`,
      registration_number: sql`null`,
      details: sql`'{ }'`,
      reason: sql`'b'`,
      origin: sql`'lee@station'`,
      approves: sql`null`,
      hash: sql`repeat('0', 64)`,
    };
    const names = Object.values(getTableColumns(auditTrail)).map(({ name }) => name);
    expect(['sequence', ...Object.keys(columns)]).toEqual(names);
    for (const [column, value] of Object.entries(columns)) {
      await tamper(
        sql`update audit_trail set ${sql.identifier(column)} = ${value} where sequence = ${sequence}`,
        async () =>
          expect(await on.stores.auditTrail.verify(), column).toMatchObject({ state: 'BROKEN', sequence }),
      );
    }
  });

  it('shows an entry that is missing, moved or of another trail', async () => {
    await enter(set('one'), set('two'), set('three'));
    const { sequence: last } = (await on.stores.auditTrail.head())!;
    const verify = () => on.stores.auditTrail.verify();
    await tamper(sql`delete from audit_trail where sequence = ${last - 1}`, async () =>
      expect(await verify()).toEqual({ state: 'BROKEN', sequence: last - 1, problem: 'it is missing' }),
    );
    await tamper(sql`delete from audit_trail where sequence = 1`, async () =>
      expect(await verify()).toMatchObject({ state: 'BROKEN', sequence: 1 }),
    );
    await tamper(
      sql`insert into audit_trail select sequence + 1, at, actor, action, asp_id, user_id, registration_number, details, reason, origin, approves, hash from audit_trail where sequence = ${last}`,
      async () => expect(await verify()).toMatchObject({ state: 'BROKEN', sequence: last + 1 }),
    );
    await tamper(sql`update audit_trail_keys set sealed_key = sealed_key || 'x'`, async () => {
      expect(await verify()).toMatchObject({ state: 'BROKEN', sequence: 1 });
      await on.database.queries.execute(
        sql`update audit_trail_keys set sealed_key = substring(sealed_key from 1 for length(sealed_key) - 1)`,
      );
    });
    const other = createStores(on.database.queries, createKey('other'));
    await expect(other.auditTrail.verify()).rejects.toThrow('There is no key');
    await expect(
      other.act(
        kim,
        async () => {},
        () => set('forged'),
      ),
    ).rejects.toThrow('There is no key');
  });

  it('that is cut off at its end no longer has the head that was published', async () => {
    await enter(set('one'), set('two'));
    const head = (await on.stores.auditTrail.head())!;
    expect(parseHead(formatHead(head))).toEqual(head);
    expect(await on.stores.auditTrail.continues(head)).toBe(true);
    await tamper(sql`delete from audit_trail where sequence >= ${head.sequence}`, async () => {
      expect(await on.stores.auditTrail.verify()).toMatchObject({ state: 'INTACT' });
      expect(await on.stores.auditTrail.continues(head)).toBe(false);
      await enter(set('in its place'));
      expect(await on.stores.auditTrail.continues(head)).toBe(false);
      // What a restore loses is explained by the operator who said so.
      await enter({ action: 'restored' });
      expect(await on.stores.auditTrail.continues(head)).toBe(true);
    });
  });

  it('is not continued by an entry that somebody has written into the database', async () => {
    await enter(set('one'), set('two'));
    const head = (await on.stores.auditTrail.head())!;
    const forge = (sequence: number, hash = 'x') =>
      sql`insert into audit_trail values (${sequence}, '9999-01-01', 'service', 'restored', null, null, null, '{}', null, 'x', null, ${hash})`;
    const forged = [
      [-1, forge(-1)],
      [0, forge(0)],
      [head.sequence, forge(head.sequence)],
      [head.sequence, forge(head.sequence, head.hash)],
      [head.sequence, forge(head.sequence + 1)],
    ] as const;
    for (const [sequence, forging] of forged) {
      const cutOff = sql`delete from audit_trail where sequence = ${head.sequence}`;
      await tamper([cutOff, forging], async () => {
        expect(await on.stores.auditTrail.continues(head)).toBe(false);
        expect(await on.stores.auditTrail.verify()).toMatchObject({ state: 'BROKEN', sequence });
      });
    }
  });

  it('says who may act only while nothing behind that is missing or altered', async () => {
    const alone = { tokens: [], secondPersonFor: [] };
    const inPairs = { tokens: [], secondPersonFor: ['erasure' as const] };
    await enterOperators(on.stores, alone);
    await enterOperators(on.stores, inPairs);
    const { sequence } = (await on.stores.auditTrail.head())!;
    await enter(set('later'), set('latest'));
    expect(await readOperators(on.stores)).toEqual(inPairs);
    for (const statement of [
      sql`delete from audit_trail where sequence = ${sequence}`,
      sql`update audit_trail set action = 'operator' where sequence = ${sequence}`,
    ]) {
      await tamper(statement, async () => {
        await expect(readOperators(on.stores)).rejects.toThrow(
          `Entry ${sequence} of the audit trail is broken`,
        );
        // The settings of an API say it, too.
        await enterOperators(on.stores, inPairs);
        expect(await readOperators(on.stores)).toEqual(inPairs);
      });
    }
  });

  it('is verified after its database key was changed', async () => {
    await enter(set('before'));
    const second = createKey('second');
    const rotated = createStores(on.database.queries, `${second},${oldKey}`);
    for await (const { unreadable } of rotated.databaseKeys.rewrap()) expect(unreadable).toEqual([]);
    const alone = createStores(on.database.queries, second);
    await alone.act(
      kim,
      async () => {},
      () => set('after'),
    );
    expect(await alone.auditTrail.verify()).toMatchObject({ state: 'INTACT' });
    for await (const { unreadable } of createStores(
      on.database.queries,
      `${oldKey},${second}`,
    ).databaseKeys.rewrap())
      expect(unreadable).toEqual([]);
  });
});
