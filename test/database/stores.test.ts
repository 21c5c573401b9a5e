import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { and, eq, inArray, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistrationNumber } from '../../api/registrations/registration-number.ts';
import type { Database } from '../../database/database.ts';
import { createLegalHolds } from '../../database/legal-holds.ts';
import type { Member } from '../../database/members.ts';
import { PersonalDataErased } from '../../database/personal-data-erased.ts';
import {
  accessKeys,
  accounts,
  arsCalls,
  arsCodes,
  consentEvidence,
  cryptoKeys,
  members,
  reconciliations,
  registrations,
  secretKeys,
} from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import type { Stores } from '../../database/stores.ts';
import { createRsaKeyPair } from '../../encryption/project-keys.ts';
import { isTransient } from '../../runtime/transient-errors.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { openEmptyPglite } from '../fixtures/empty-database.ts';
import { openFreshPostgres } from '../fixtures/fresh-postgres.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: the stores are tested on PGlite, not on PostgreSQL.\n');
}

const rsaKeys = await createRsaKeyPair();

const newProject = {
  demandsEncryption: true,
  comparesMember: true,
  secretKey: 'secret key',
  serverPrivateKey: rsaKeys.privateKey,
  clientPublicKey: rsaKeys.publicKey,
};

const erasure = { operator: 'kim', reason: 'the member asks for it', beforeRetentionEnds: false };

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

describe.each([
  { name: 'PGlite', open: openEmptyPglite },
  ...(databaseUrl ? [{ name: 'PostgreSQL', open: () => openFreshPostgres(databaseUrl) }] : []),
])('on $name', ({ name, open }) => {
  const [oldKey, newKey] = [key('old'), key('new')];
  let database: Database;
  let stores: Stores;
  let nextUserId = 1;

  beforeAll(async () => {
    database = await open();
    stores = createStores(database.queries, oldKey);
    for (const aspId of ['TESTASP00000001', 'TESTASP00000002']) {
      await stores.projects.add({
        ...newProject,
        aspId,
        accessKey: `access key of ${aspId}`,
        secretKey: `secret key of ${aspId}`,
        cryptoKeyId: `crypto key of ${aspId}`,
      });
    }
  });
  afterAll(() => database.close());

  async function addMember(through = stores): Promise<Member> {
    const member = inventMember(String(nextUserId++));
    await through.members.add('TESTASP00000001', [member]);
    return (await through.members.find('TESTASP00000001', member.userId))!;
  }

  async function addRegistration(member: Member, accountNumber = '11012345678'): Promise<string> {
    const registrationNumber = createRegistrationNumber(new Date());
    const isWrittenDown = await stores.registrations.add(member, {
      registrationNumber,
      bankCode: '003',
      arsCodeId: null,
      details: {
        accountNumber,
        bankName: 'IBK',
        holderName: member.facts.userName,
        birthDate: member.facts.birthDate,
        mobileNumber: member.facts.mobileNumber,
        authNumber: '07',
      },
    });
    if (!isWrittenDown) throw new Error('not written down');
    return registrationNumber;
  }

  async function accountStates({ userId }: Member): Promise<Record<string, string>> {
    const all = await stores.accounts.listOf(userId);
    return Object.fromEntries(all.map(({ registrationNumber, state }) => [registrationNumber, state]));
  }

  describe('activating an account', () => {
    it('leaves one active account when ten are activated concurrently', async () => {
      const member = await addMember();
      const numbers = await Promise.all(Array.from({ length: 10 }, () => addRegistration(member)));
      await Promise.all(numbers.map((number) => stores.registrations.activate(number, [])));
      const states = Object.values(await accountStates(member)).toSorted();
      expect(states).toEqual(['ACTIVE', ...Array.from({ length: 9 }, () => 'REPLACED')]);
    });

    it('is idempotent', async () => {
      const member = await addMember();
      const [old, replacement] = [await addRegistration(member), await addRegistration(member)];
      expect(await stores.registrations.activate(old, [])).toEqual({
        replaced: null,
        hasNotification: false,
      });
      expect(await stores.registrations.activate(replacement, [])).toEqual({
        replaced: old,
        hasNotification: false,
      });
      const before = await stores.registrations.find(member.aspId, replacement);
      expect(await stores.registrations.activate(replacement, [])).toEqual({
        replaced: old,
        hasNotification: false,
      });
      expect(await stores.registrations.find(member.aspId, replacement)).toEqual(before);
      expect(await accountStates(member)).toEqual({ [old]: 'REPLACED', [replacement]: 'ACTIVE' });
    });

    it('numbers a member’s results without gaps, even if an end is recorded repeatedly', async () => {
      const aspId = 'TESTASP00000004';
      await stores.projects.add({ ...newProject, aspId, accessKey: 'fourth', cryptoKeyId: 'fourth' });
      await stores.projects.setNotificationUrl(aspId, 'https://provider.example/results');
      const invented = inventMember(String(nextUserId++));
      await stores.members.add(aspId, [invented]);
      const member = (await stores.members.find(aspId, invented.userId))!;
      const sequences: (number | undefined)[] = [];
      for (const end of ['activate', 'fail', 'activate'] as const) {
        const number = await addRegistration(member);
        for (let time = 0; time < 3; time++) {
          const { hasNotification } =
            end === 'activate'
              ? await stores.registrations.activate(number, [])
              : await stores.registrations.fail(number, {
                  status: 'ARS_AUTH_FAILED',
                  resultCode: '002_014',
                  timeline: [],
                });
          expect(hasNotification).toBe(true);
        }
        sequences.push((await stores.resultNotifications.find(number))?.sequence);
      }
      expect(sequences).toEqual([1, 2, 3]);
    });

    it('leaves the newer account active when an older one is activated again', async () => {
      const member = await addMember();
      const [old, replacement] = [await addRegistration(member), await addRegistration(member)];
      await stores.registrations.activate(old, []);
      await stores.registrations.activate(replacement, []);
      await stores.registrations.activate(old, []);
      expect(await accountStates(member)).toEqual({ [old]: 'REPLACED', [replacement]: 'ACTIVE' });
    });
  });

  it('activates accounts and places legal holds of one member concurrently', async () => {
    for (let round = 0; round < 10; round++) {
      const member = await addMember();
      const numbers = await Promise.all(Array.from({ length: 4 }, () => addRegistration(member)));
      const held = await Promise.all(
        numbers.map(async (number) => {
          const [, outcome] = await Promise.all([
            stores.registrations.activate(number, []),
            stores.legalHolds.hold(number, { operator: 'kim', reason: 'a complaint' }),
          ]);
          await stores.legalHolds.release(number, { operator: 'kim', reason: 'settled' });
          return outcome;
        }),
      );
      expect(held).toEqual(numbers.map(() => 'HELD'));
    }
  });

  it('inserts no registration for a member who is erased concurrently', async () => {
    for (let round = 0; round < 20; round++) {
      const member = await addMember();
      const [{ state }, number] = await Promise.all([
        stores.members.erase(member.aspId, member.userId, erasure),
        addRegistration(member).catch((error: Error) => error.message),
      ]);
      const rows = await database.queries.$count(registrations, eq(registrations.userId, member.userId));
      expect([state, rows]).toEqual(number === 'not written down' ? ['ERASED', 0] : ['BEING_REGISTERED', 1]);
    }
    const erased = await addMember();
    await stores.members.erase(erased.aspId, erased.userId, erasure);
    await expect(addRegistration(erased)).rejects.toThrow('not written down');
  });

  it('leaves a project with complete sets of keys when they are renewed and retired concurrently', async () => {
    const aspId = 'TESTASP00000003';
    await stores.projects.add({ ...newProject, aspId, accessKey: 'first', cryptoKeyId: 'first' });
    const states = async (table: typeof accessKeys | typeof secretKeys | typeof cryptoKeys) =>
      await database.queries.$count(table, and(eq(table.aspId, aspId), eq(table.state, 'ACTIVE')));
    for (let round = 0; round < 20; round++) {
      const name = `${round} ${randomBytes(4).toString('hex')}`;
      const second = { ...newProject, accessKey: `access key ${name}`, cryptoKeyId: `crypto key ${name}` };
      await Promise.all([
        stores.projects.renewKeys(aspId, second),
        stores.projects.retireKeys(aspId),
        stores.projects.retireKeys(aspId),
      ]);
      const [access, secret, crypto] = [
        await states(accessKeys),
        await states(secretKeys),
        await states(cryptoKeys),
      ];
      expect([secret, crypto]).toEqual([access, access]);
      await stores.projects.retireKeys(aspId);
    }
  });

  describe('an ARS code', () => {
    it('is valid for ten minutes', async () => {
      const member = await addMember();
      const code = await stores.arsCodes.issue(member);
      expect(await stores.arsCodes.findLive(member)).toEqual(code);
      const [row] = await database.queries.select().from(arsCodes).where(eq(arsCodes.userId, member.userId));
      const lifetime = row!.expiresAt.getTime() - Date.now();
      expect(lifetime).toBeGreaterThan(9 * 60_000);
      expect(lifetime).toBeLessThanOrEqual(10 * 60_000);
      await database.queries
        .update(arsCodes)
        .set({ expiresAt: new Date(Date.now() - 1) })
        .where(eq(arsCodes.userId, member.userId));
      expect(await stores.arsCodes.findLive(member)).toBeUndefined();
    });

    it('is used by the first registration only', async () => {
      const member = await addMember();
      const { arsCodeId } = await stores.arsCodes.issue(member);
      await stores.arsCodes.spend(arsCodeId, 'the first');
      await stores.arsCodes.spend(arsCodeId, 'the second');
      const [row] = await database.queries.select().from(arsCodes).where(eq(arsCodes.userId, member.userId));
      expect(row!.spentBy).toBe('the first');
      expect(await stores.arsCodes.findLive(member)).toBeUndefined();

      const next = await stores.arsCodes.issue(member);
      await stores.arsCodes.spend(arsCodeId, 'the third');
      expect(await stores.arsCodes.findLive(member)).toEqual(next);
    });
  });

  it('accepts a ciphertext once, even if it arrives concurrently, until its hash is deleted', async () => {
    const accept = (aspId: string, expiresAt: number) =>
      stores.acceptedCiphertexts.accept(aspId, 'a ciphertext', new Date(expiresAt));
    const past = Date.now() - 1;
    const answers = await Promise.all(Array.from({ length: 10 }, () => accept('TESTASP00000001', past)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await accept('TESTASP00000002', Date.now() + 60_000)).toBe(true);
    await stores.acceptedCiphertexts.forgetExpired();
    expect(await accept('TESTASP00000001', past)).toBe(true);
    expect(await accept('TESTASP00000002', past)).toBe(false);
  });

  describe('a sealed value', () => {
    it('can be decrypted only in its own location', async () => {
      const member = await addMember();
      const numbers = [
        await addRegistration(member, '11011111111'),
        await addRegistration(member, '22022222222'),
      ];
      const { details } = await stores.registrations.open(numbers[1]!);
      expect(details).toMatchObject({ accountNumber: '22022222222', holderName: member.facts.userName });
      const rows = await database.queries
        .select()
        .from(registrations)
        .where(eq(registrations.userId, member.userId));
      for (const [index, { registrationNumber }] of rows.entries()) {
        await database.queries
          .update(registrations)
          .set({ sealedDetails: rows[1 - index]!.sealedDetails })
          .where(eq(registrations.registrationNumber, registrationNumber));
      }
      for (const number of numbers)
        await expect(stores.registrations.open(number)).rejects.toThrow('unable to authenticate');
    });

    it('cannot be decrypted in the row of another member, even with its own data key', async () => {
      const [member, other] = [await addMember(), await addMember()];
      const [row] = await database.queries.select().from(members).where(eq(members.userId, member.userId));
      const sealedFacts = member.cipher.sealJson(member.facts, `members/${other.userId}/facts`);
      await database.queries
        .update(members)
        .set({ sealedDataKey: row!.sealedDataKey, sealedFacts })
        .where(eq(members.userId, other.userId));
      await expect(stores.members.find('TESTASP00000001', other.userId)).rejects.toThrow(
        'unable to authenticate',
      );
    });

    it('stays readable when a key is rotated, and new members get the new key', async () => {
      const old = await addMember();
      const rotated = createStores(database.queries, `${newKey},${oldKey}`);
      const recent = await addMember(rotated);
      expect((await rotated.members.find('TESTASP00000001', old.userId))?.facts).toEqual(old.facts);
      expect((await rotated.projects.find('TESTASP00000001'))?.secretKeys).toMatchObject([
        { secret: 'secret key of TESTASP00000001' },
      ]);

      const withoutOld = createStores(database.queries, newKey);
      expect((await withoutOld.members.find('TESTASP00000001', recent.userId))?.facts).toEqual(recent.facts);
      await expect(withoutOld.members.find('TESTASP00000001', old.userId)).rejects.toThrow('ID old');
    });
  });

  describe('evidence of consent', () => {
    async function addEvidence() {
      const member = await addMember();
      const registrationNumber = await addRegistration(member);
      const evidence = {
        registrationNumber,
        attempt: 1,
        callId: 'CALL00000001',
        scriptVersion: 'withdrawal-consent-1',
        format: 'wav',
        durationMs: 2_000,
        recording: randomBytes(1_000),
      } as const;
      await stores.consentEvidence.store(member.cipher, evidence);
      const ofThis = eq(consentEvidence.registrationNumber, registrationNumber);
      return { member, evidence, registrationNumber, ofThis };
    }

    it('is stored once and read back unchanged', async () => {
      const { member, evidence, registrationNumber } = await addEvidence();
      await stores.consentEvidence.store(member.cipher, { ...evidence, recording: randomBytes(1_000) });
      const recording = await stores.consentEvidence.openRecording(member.cipher, registrationNumber);
      expect(recording.equals(evidence.recording)).toBe(true);
    });

    it.for([0, 12, 500, 1_027])('is refused when one bit of byte %d was altered', async (position) => {
      const { member, registrationNumber, ofThis } = await addEvidence();
      const [row] = await database.queries.select().from(consentEvidence).where(ofThis);
      const sealedRecording = Buffer.from(row!.sealedRecording);
      expect(sealedRecording).toHaveLength(1_028);
      sealedRecording[position]! ^= 1;
      await database.queries.update(consentEvidence).set({ sealedRecording }).where(ofThis);
      await expect(stores.consentEvidence.openRecording(member.cipher, registrationNumber)).rejects.toThrow(
        'unable to authenticate',
      );
    });
  });

  describe('a reconciliation', () => {
    const first = { reconciliationId: 'the-first', cursor: null, size: 2 };

    it('stores each entry once, even if a page is repeated, and in the end keeps only the findings', async () => {
      const { reconciliations: store } = stores;
      const member = await addMember();
      const [active, failed] = [await addRegistration(member), await addRegistration(await addMember())];
      await stores.registrations.activate(active, []);
      await stores.registrations.fail(failed, {
        status: 'ARS_AUTH_FAILED',
        resultCode: '002_014',
        timeline: [],
      });
      await store.begin(first.reconciliationId);
      await store.begin(first.reconciliationId);
      const late = await addRegistration(await addMember());
      await stores.registrations.activate(late, []);

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
      await store.end(first.reconciliationId);
      const report = await store.find(first.reconciliationId);
      expect(report?.counts).toMatchObject({ MATCHED: matched.length, UNKNOWN_TO_US: 1, DIFFERENT: 0 });
      do cursor = await store.forgetMatches({ ...first, cursor });
      while (cursor !== null);
      // A repeated end must not count again: the entries it counted are deleted by now.
      await store.end(first.reconciliationId);
      expect(await store.findLatestEnded()).toEqual(report);
      expect(await store.listFindings(first.reconciliationId, '', 10)).toEqual([finding]);
      expect(await store.listCompared({ ...first, size: 100 }, 'ALL')).toHaveLength(1);
    });

    it('is deleted a week after it was abandoned', async () => {
      await stores.reconciliations.begin('given-up');
      const entry = { entryId: '1', registrationNumber: 'A', difference: null };
      await stores.reconciliations.addEntries('given-up', [entry]);
      await stores.reconciliations.begin('the-next');
      expect(await stores.reconciliations.find('given-up')).toMatchObject({ endedAt: null });
      await database.queries
        .update(reconciliations)
        .set({ startedAt: new Date(Date.now() - 8 * 24 * 60 * 60 * 1_000) });
      await stores.reconciliations.begin('the-next-but-one');
      const ids = (await stores.reconciliations.list(10)).map(({ reconciliationId }) => reconciliationId);
      expect(ids).toEqual(['the-next-but-one', 'the-first']);
    });
  });

  describe('the retention period of evidence', () => {
    const wanted = { operator: 'kim', reason: 'a court asks for it' };
    const failed = { status: 'BANK_ACC_REG_FAILED', resultCode: '002_016', timeline: [] } as const;

    /** A registration with evidence. */
    async function addWithEvidence(member: Member): Promise<string> {
      const registrationNumber = await addRegistration(member);
      await stores.consentEvidence.store(member.cipher, {
        registrationNumber,
        attempt: 1,
        callId: 'CALL00000001',
        scriptVersion: 'withdrawal-consent-1',
        format: 'wav',
        durationMs: 2_000,
        recording: randomBytes(100),
      });
      return registrationNumber;
    }

    /** One whose account has been removed, and one that failed, both at `time`. */
    async function addOutOfUse(time: string): Promise<[string, string]> {
      const member = await addMember();
      const [removed, refused] = [await addWithEvidence(member), await addWithEvidence(member)];
      await stores.registrations.activate(removed, []);
      await stores.accounts.deactivate(member.userId, 'a deletion');
      await stores.accounts.markRemoved(removed);
      await stores.registrations.fail(refused, failed);
      const at = new Date(time);
      const { queries } = database;
      await queries.update(accounts).set({ removedAt: at }).where(eq(accounts.registrationNumber, removed));
      await queries
        .update(registrations)
        .set({ endedAt: at })
        .where(inArray(registrations.registrationNumber, [removed, refused]));
      return [removed, refused];
    }

    const isKept = async (number: string) => (await stores.consentEvidence.find(number)) !== undefined;
    async function purge(now: string): Promise<number> {
      let purged = 0;
      for await (const batch of stores.retention.purge(new Date(now))) purged += batch;
      return purged;
    }

    it('is five years from the day after the consent was last used', async () => {
      const numbers = await addOutOfUse('1990-02-28T12:00:00Z');
      await purge('1995-03-01T11:59:59Z');
      for (const number of numbers) expect(await isKept(number)).toBe(true);
      expect(await stores.retention.countExpired(new Date('1995-03-01T12:00:00Z'))).toBe(2);
      expect(await purge('1995-03-01T12:00:00Z')).toBe(2);
      for (const number of numbers) {
        expect(await isKept(number)).toBe(false);
        const record = await stores.registrations.find('TESTASP00000001', number);
        expect(record).toMatchObject({ purgedAt: new Date('1995-03-01T12:00:00Z') });
        await expect(stores.registrations.open(number)).rejects.toThrow(PersonalDataErased);
      }
      expect(await purge('1995-03-01T12:00:00Z')).toBe(0);
    });

    it('does not begin while an account is in use or awaits removal, or while a registration runs', async () => {
      const member = await addMember();
      const [replaced, active, running] = [
        await addWithEvidence(member),
        await addWithEvidence(member),
        await addWithEvidence(member),
      ];
      await stores.registrations.activate(replaced, []);
      await stores.registrations.activate(active, []);
      const long = new Date('1970-01-01T00:00:00Z');
      await database.queries.update(accounts).set({ activatedAt: long, retiredAt: long });
      await database.queries.update(registrations).set({ createdAt: long });
      await purge('2000-01-01T00:00:00Z');
      for (const number of [replaced, active, running]) expect(await isKept(number)).toBe(true);
    });

    it('lasts at least as long as a legal hold', async () => {
      const [held, free] = await addOutOfUse('1990-01-01T00:00:00Z');
      expect(await stores.legalHolds.hold(held, wanted)).toBe('HELD');
      expect(await stores.legalHolds.hold(held, wanted)).toBe('HELD_ALREADY');
      expect(await purge('2000-01-01T00:00:00Z')).toBe(1);
      expect([await isKept(held), await isKept(free)]).toEqual([true, false]);
      expect(await stores.legalHolds.hold(free, wanted)).toBe('GONE');
      expect(await stores.legalHolds.list()).toMatchObject([{ registrationNumber: held, heldBy: 'kim' }]);

      expect(await stores.legalHolds.release(held, wanted)).toBe(true);
      expect(await stores.legalHolds.release(held, wanted)).toBe(false);
      expect(await purge('2000-01-01T00:00:00Z')).toBe(1);
      expect(await isKept(held)).toBe(false);
      expect(await stores.legalHolds.listOf(held)).toMatchObject([{ releasedBy: 'kim' }]);
      expect(await stores.legalHolds.list()).toEqual([]);
      expect(await stores.legalHolds.hold('A'.repeat(22), wanted)).toBe('NOT_FOUND');
    });

    it('is extended by a legal hold that is placed while the purge waits for the row', async () => {
      const [held, free] = await addOutOfUse('1990-01-01T00:00:00Z');
      const ofOurs = sql`datname = current_database() and wait_event_type = 'Lock'`;
      const waiting = () => database.queries.$count(sql`pg_stat_activity`, ofOurs);
      let purging: Promise<number> | undefined;
      await database.queries.transaction(async (transaction) => {
        expect(await createLegalHolds(transaction).hold(held, wanted)).toBe('HELD');
        purging = purge('2000-01-01T00:00:00Z');
        // The embedded database has one connection: there the purge waits for that, not for the row.
        if (name === 'PostgreSQL') await expect.poll(waiting, { timeout: 10_000 }).toBe(1);
      });
      expect(await purging).toBe(1);
      expect([await isKept(held), await isKept(free)]).toEqual([true, false]);
      await stores.legalHolds.release(held, wanted);
      expect(await purge('2000-01-01T00:00:00Z')).toBe(1);
    });

    it('ends for all evidence, in several batches', async () => {
      const member = await addMember();
      const numbers = await Promise.all(Array.from({ length: 250 }, () => addRegistration(member)));
      const endedAt = new Date('1990-01-01T00:00:00Z');
      await database.queries
        .update(registrations)
        .set({ ...failed, endedAt })
        .where(inArray(registrations.registrationNumber, numbers));
      expect(await purge('2000-01-01T00:00:00Z')).toBe(250);
      for (const number of numbers) await expect(stores.registrations.open(number)).rejects.toThrow('purged');
    });
  });

  describe('the database keys', () => {
    async function rewrap(through: Stores): Promise<string[]> {
      const unreadable: string[] = [];
      for await (const batch of through.databaseKeys.rewrap()) unreadable.push(...batch.unreadable);
      return unreadable;
    }

    it('are rotated: everything is re-encrypted in batches, and the old key can be removed', async () => {
      const invented = Array.from({ length: 250 }, () => inventMember(String(nextUserId++)));
      await stores.members.add('TESTASP00000001', invented);
      const altered = await addMember();
      await database.queries
        .update(members)
        .set({ sealedDataKey: randomBytes(60) })
        .where(eq(members.userId, altered.userId));
      const latest = key('latest');
      const rotated = createStores(database.queries, `${latest},${newKey},${oldKey}`);
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
      expect(unreadable).toContain(`members/${altered.userId}/data-key`);
      const total = before.reduce((sum, { rows }) => sum + rows, 0);
      expect((await rotated.databaseKeys.listUse()).map(({ rows }) => rows)).toEqual([
        total - unreadable.length,
        0,
        unreadable.length,
      ]);

      const alone = createStores(database.queries, latest);
      for (const { userId, ...facts } of invented) {
        await expect(alone.members.find('TESTASP00000001', userId)).resolves.toHaveProperty('facts', facts);
      }
      const project = await alone.projects.find('TESTASP00000002');
      expect(project).toMatchObject({ secretKeys: [{ secret: 'secret key of TESTASP00000002' }] });
      const { serverPrivateKey } = project!.cryptoKeys[0]!;
      expect(serverPrivateKey.export({ type: 'pkcs8', format: 'pem' })).toBe(rsaKeys.privateKey);
      await rewrap(createStores(database.queries, `${oldKey},${latest}`));
    });

    it('are rotated without restoring members who are erased meanwhile', async () => {
      const invented = Array.from({ length: 60 }, () => inventMember(String(nextUserId++)));
      await stores.members.add('TESTASP00000001', invented);
      const latest = key('latest');
      const [, ...erasures] = await Promise.all([
        rewrap(createStores(database.queries, `${latest},${newKey},${oldKey}`)),
        ...invented.map(({ userId }) => stores.members.erase('TESTASP00000001', userId, erasure)),
      ]);
      expect(erasures).toEqual(invented.map(() => ({ state: 'ERASED' })));
      const rows = await database.queries
        .select({ key: members.sealedDataKey })
        .from(members)
        .where(
          inArray(
            members.userId,
            invented.map(({ userId }) => userId),
          ),
        );
      expect(rows.filter((row) => row.key !== null)).toEqual([]);
      await rewrap(createStores(database.queries, `${oldKey},${latest}`));
    });

    it('are named when they are missing', async () => {
      const lost = createStores(database.queries, newKey);
      const named = /DATABASE_KEYS lacks .*old \(seals \d+ rows\)/;
      await expect(lost.databaseKeys.requireAll()).rejects.toThrow(named);
      await expect(rewrap(lost)).rejects.toThrow('no key with the ID old');
    });
  });

  describe('a discarded project', () => {
    it('cannot be activated again', async () => {
      const aspId = 'TESTSETSTATE000';
      const keys = { aspId, accessKey: 'set-state', cryptoKeyId: 'set-state' };
      expect(await stores.projects.setState(aspId, 'ACTIVE')).toBe(false);
      expect(await stores.projects.add({ ...newProject, ...keys })).toBe(true);
      expect(await stores.projects.add({ ...newProject, ...keys })).toBe(false);
      for (const state of ['INACTIVE', 'ACTIVE', 'DISCARDED', 'DISCARDED'] as const) {
        expect(await stores.projects.setState(aspId, state)).toBe(true);
      }
      for (const state of ['INACTIVE', 'ACTIVE'] as const) {
        await expect(stores.projects.setState(aspId, state)).rejects.toThrow('discarded, which is for good');
      }
      expect((await stores.projects.find(aspId))?.state).toBe('DISCARDED');
    });
  });

  describe('counting the ARS calls of a day', () => {
    const limits = { member: 100, phone: 100, account: 100 };
    let nextCall = 0;
    const count = (call: object, some: object, through = stores) => {
      const number = `${++nextCall}`.padStart(22, '0');
      const counted = { registrationNumber: number, attempt: 1, userId: number, phoneNumber: number };
      return through.arsCalls.count({ ...counted, accountNumber: number, ...call }, { ...limits, ...some });
    };

    it.for([
      ['MEMBER', { userId: '77001' }, { member: 3 }],
      ['PHONE', { phoneNumber: '01077001' }, { phone: 3 }],
      ['ACCOUNT', { accountNumber: '77001' }, { account: 3 }],
    ] as const)(
      'stops at the limit by %s, even if ten calls are counted concurrently',
      async ([limit, same, some]) => {
        const counted = await Promise.all(Array.from({ length: 10 }, () => count(same, some)));
        expect(counted.filter((reached) => reached === undefined)).toHaveLength(3);
        expect(counted.filter((reached) => reached === limit)).toHaveLength(7);
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
      const renewed = createStores(database.queries, `${newKey},${oldKey}`);
      expect(await count(same, { phone: 1 }, renewed)).toBe('PHONE');
    });

    it('stores neither phone nor account numbers, and deletes past days only', async () => {
      await count({ phoneNumber: '01077004', accountNumber: '88004', userId: '77004' }, {});
      const rows = await database.queries.select().from(arsCalls).where(eq(arsCalls.userId, '77004'));
      expect(rows).toHaveLength(1);
      expect(JSON.stringify(rows)).not.toMatch(/01077004|88004/);
      const yesterday = { calledOn: '2026-01-01' };
      await database.queries.update(arsCalls).set(yesterday).where(eq(arsCalls.userId, '77004'));
      await count({ userId: '77005' }, {});
      await stores.arsCalls.deleteEarlierDays();
      const left = await database.queries.select({ userId: arsCalls.userId }).from(arsCalls);
      expect(left.map(({ userId }) => userId)).not.toContain('77004');
      expect(left.map(({ userId }) => userId)).toContain('77005');
    });
  });

  it('leaves a member unchanged when it is added again', async () => {
    const { userId, facts } = await addMember();
    await stores.members.add('TESTASP00000001', [{ ...inventMember('4711'), userId }]);
    await stores.members.add('TESTASP00000002', [{ ...inventMember('4711'), userId }]);
    expect((await stores.members.find('TESTASP00000001', userId))?.facts).toEqual(facts);
  });

  it('shows a service provider nothing of another one', async () => {
    const member = await addMember();
    const number = await addRegistration(member);
    expect(await stores.registrations.find('TESTASP00000001', number)).toMatchObject({
      userId: member.userId,
    });
    expect(await stores.registrations.find('TESTASP00000002', number)).toBeUndefined();
    expect(await stores.members.find('TESTASP00000002', member.userId)).toBeUndefined();
    const listed = await stores.registrations.list('TESTASP00000002', { limit: 100 });
    expect(listed).toEqual([]);
  });
});

describe.runIf(databaseUrl)('a connection to PostgreSQL', () => {
  it('that breaks between two queries of a transaction fails the transaction and nothing else', async () => {
    const database = await openFreshPostgres(databaseUrl!);
    const { queries } = database;
    const broken = queries.transaction(async (transaction) => {
      const own = (await transaction.execute(sql`select pg_backend_pid() as pid`)) as {
        rows: [{ pid: number }];
      };
      const { pid } = own.rows[0];
      await queries.execute(sql`select pg_terminate_backend(${pid})`);
      await delay(100);
      await transaction.execute(sql`select 1`);
    });
    await expect(broken).rejects.toThrow('Failed query');
    // The caller is asked to retry.
    expect(isTransient(await broken.catch((error: unknown) => error))).toBe(true);
    await database.ping();
    await database.close();
  });
});
