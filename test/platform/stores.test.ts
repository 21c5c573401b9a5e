import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistrationNumber } from '../../api/registrations.ts';
import { openPglite, openPostgres } from '../../platform/database/database.ts';
import type { Database } from '../../platform/database/database.ts';
import type { Member } from '../../platform/database/members.ts';
import { arsCodes, consentEvidence, members, registrations } from '../../platform/database/schema.ts';
import { createStores } from '../../platform/database/stores.ts';
import type { Stores } from '../../platform/database/stores.ts';
import { createLog } from '../../platform/log.ts';
import { inventMember } from '../../sandbox/members.ts';
import { createFreshPostgres } from '../fresh-postgres.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: the stores are tested on PGlite, not on PostgreSQL.\n');
}

async function openFreshPostgres(url: string): Promise<Database> {
  const fresh = await createFreshPostgres(url);
  const database = await openPostgres(fresh.url, createLog('test', 'silent'));
  return { ...database, close: () => database.close().then(() => fresh.drop()) };
}

const newProject = {
  demandsEncryption: true,
  comparesMember: true,
  secretKey: 'secret key',
  serverPrivateKey: 'not a key',
  clientPublicKey: 'not a key',
};

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

describe.each([
  { name: 'PGlite', open: () => openPglite() },
  ...(databaseUrl ? [{ name: 'PostgreSQL', open: () => openFreshPostgres(databaseUrl) }] : []),
])('on $name', ({ open }) => {
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
    await stores.registrations.add(member, {
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
    return registrationNumber;
  }

  async function accountStates({ userId }: Member): Promise<Record<string, string>> {
    const accounts = await stores.accounts.listOf(userId);
    return Object.fromEntries(accounts.map(({ registrationNumber, state }) => [registrationNumber, state]));
  }

  describe('activating an account', () => {
    it('leaves one active account of ten activated at once', async () => {
      const member = await addMember();
      const numbers = await Promise.all(Array.from({ length: 10 }, () => addRegistration(member)));
      await Promise.all(numbers.map((number) => stores.registrations.activate(number, [])));
      const states = Object.values(await accountStates(member)).toSorted();
      expect(states).toEqual(['ACTIVE', ...Array.from({ length: 9 }, () => 'REPLACED')]);
    });

    it('answers a repeat like the first time, and changes nothing by it', async () => {
      const member = await addMember();
      const [old, replacement] = [await addRegistration(member), await addRegistration(member)];
      expect(await stores.registrations.activate(old, [])).toEqual({ replaced: null, hasCallback: false });
      expect(await stores.registrations.activate(replacement, [])).toEqual({
        replaced: old,
        hasCallback: false,
      });
      const before = await stores.registrations.find(member.aspId, replacement);
      expect(await stores.registrations.activate(replacement, [])).toEqual({
        replaced: old,
        hasCallback: false,
      });
      expect(await stores.registrations.find(member.aspId, replacement)).toEqual(before);
      expect(await accountStates(member)).toEqual({ [old]: 'REPLACED', [replacement]: 'ACTIVE' });
    });

    it('takes nothing from a newer account when an older one is activated again', async () => {
      const member = await addMember();
      const [old, replacement] = [await addRegistration(member), await addRegistration(member)];
      await stores.registrations.activate(old, []);
      await stores.registrations.activate(replacement, []);
      await stores.registrations.activate(old, []);
      expect(await accountStates(member)).toEqual({ [old]: 'REPLACED', [replacement]: 'ACTIVE' });
    });
  });

  describe('an ARS code', () => {
    it('lives until it expires', async () => {
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

    it('is spent by one registration and stays so', async () => {
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

  it('accepts a ciphertext once, however many bring it at once, until it is forgotten', async () => {
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

  describe('what is sealed', () => {
    it('opens where it belongs and nowhere else', async () => {
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

    it('does not open for another member, not even with that member’s key', async () => {
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
        scriptVersion: 'a-script',
        format: 'wav',
        recording: randomBytes(1_000),
      } as const;
      await stores.consentEvidence.store(member.cipher, evidence);
      const ofThis = eq(consentEvidence.registrationNumber, registrationNumber);
      return { member, evidence, registrationNumber, ofThis };
    }

    it('is given back as it came, and stored once', async () => {
      const { member, evidence, registrationNumber } = await addEvidence();
      await stores.consentEvidence.store(member.cipher, { ...evidence, recording: randomBytes(1_000) });
      const recording = await stores.consentEvidence.openRecording(member.cipher, registrationNumber);
      expect(recording.equals(evidence.recording)).toBe(true);
    });

    it.for([0, 12, 500, 1_027])('shows that one bit of byte %d was altered', async (position) => {
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

    it('shows that it was exchanged for another recording', async () => {
      const { member, registrationNumber, ofThis } = await addEvidence();
      const context = `consent-evidence/${registrationNumber}`;
      const sealedRecording = member.cipher.seal(randomBytes(1_000), context);
      await database.queries.update(consentEvidence).set({ sealedRecording }).where(ofThis);
      await expect(stores.consentEvidence.openRecording(member.cipher, registrationNumber)).rejects.toThrow(
        'altered',
      );
    });
  });

  describe('what is discarded', () => {
    it.for(['setState', 'setAccessKeyState'] as const)('stays so, says %s', async (set) => {
      const aspId = `TEST${set.toUpperCase()}`.slice(0, 15).padEnd(15, '0');
      expect(await stores.projects[set](aspId, 'ACTIVE')).toBe(false);
      expect(await stores.projects.add({ ...newProject, aspId, accessKey: set, cryptoKeyId: set })).toBe(
        true,
      );
      expect(await stores.projects.add({ ...newProject, aspId, accessKey: set, cryptoKeyId: set })).toBe(
        false,
      );
      for (const state of ['INACTIVE', 'ACTIVE', 'DISCARDED', 'DISCARDED'] as const) {
        expect(await stores.projects[set](aspId, state)).toBe(true);
      }
      for (const state of ['INACTIVE', 'ACTIVE'] as const) {
        await expect(stores.projects[set](aspId, state)).rejects.toThrow('discarded, which is for good');
      }
      const project = (await stores.projects.find(aspId))!;
      expect(set === 'setState' ? project.state : project.accessKeys[0]?.state).toBe('DISCARDED');
    });
  });

  it('keeps a member that is added again', async () => {
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
      const own = await transaction.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
      const { pid } = (own as unknown as { rows: { pid: number }[] }).rows[0]!;
      await queries.execute(sql`select pg_terminate_backend(${pid})`);
      await delay(100);
      await transaction.execute(sql`select 1`);
    });
    await expect(broken).rejects.toThrow();
    await database.ping();
    await database.close();
  });
});
