import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  consentEvidence,
  cryptoKeys,
  memberKeys,
  members,
  registrations,
  sealKeys,
  secretKeys,
} from '../../database/schema.ts';
import type { Queries } from '../../database/database.ts';
import { sealKeyContext } from '../../database/row-seals.ts';
import { createStores } from '../../database/stores.ts';
import { KeyRing } from '../../encryption/key-ring.ts';
import { reseal } from '../fixtures/reseal.ts';
import { describeStores, inventedEvidence, newKey, oldKey } from './stores-fixture.ts';

/** Encrypts the key of the seals with the new database key. */
async function rewrapSealKey(queries: Queries): Promise<void> {
  const keys = new KeyRing(`${newKey},${oldKey}`);
  const [row] = await queries.select().from(sealKeys);
  const context = sealKeyContext(row!.sealKeyId);
  const sealedKey = keys.seal(keys.open(row!.databaseKeyId, row!.sealedKey, context), context);
  await queries.update(sealKeys).set({ databaseKeyId: keys.activeKeyId, sealedKey });
}

describeStores((on) => {
  describe('a sealed value', () => {
    it('can be decrypted only in its own location', async () => {
      const member = await on.addMember();
      const numbers = [
        await on.addRegistration(member, '11011111111'),
        await on.addRegistration(member, '22022222222'),
      ];
      const { details } = await on.stores.registrations.openAny(numbers[1]!);
      expect(details).toMatchObject({ accountNumber: '22022222222', holderName: member.facts.userName });
      const rows = await on.database.queries
        .select()
        .from(registrations)
        .where(eq(registrations.userId, member.userId));
      for (const [index, { registrationNumber }] of rows.entries()) {
        await on.database.queries
          .update(registrations)
          .set({ sealedDetails: rows[1 - index]!.sealedDetails })
          .where(eq(registrations.registrationNumber, registrationNumber));
      }
      for (const number of numbers)
        await expect(on.stores.registrations.openAny(number)).rejects.toThrow('unable to authenticate');
    });

    it('cannot be decrypted in the row of another member, even with its own data key', async () => {
      const [member, other] = [await on.addMember(), await on.addMember()];
      const { queries } = on.database;
      const ofMember = eq(memberKeys.userId, member.userId);
      const [key] = await queries.select().from(memberKeys).where(ofMember);
      await queries
        .update(memberKeys)
        .set({ sealedDataKey: key!.sealedDataKey })
        .where(eq(memberKeys.userId, other.userId));
      await expect(on.stores.members.find('TESTASP00000001', other.userId)).rejects.toThrow(
        'unable to authenticate',
      );
    });

    it('is opened for nobody but its owner, whatever the rows say', async () => {
      const { queries } = on.database;
      const member = await on.addMember();
      const other = await on.addMember();
      const number = await on.addRegistration(member);
      const [key] = await queries.select().from(memberKeys).where(eq(memberKeys.userId, member.userId));
      const ofMember = eq(members.userId, member.userId);
      const ofNumber = eq(registrations.registrationNumber, number);
      const refused = 'unable to authenticate';
      const open = () => on.stores.registrations.openAny(number);

      await queries.update(members).set({ aspId: 'TESTASP00000002' }).where(ofMember);
      await reseal(on);
      await expect(on.stores.members.find('TESTASP00000002', member.userId)).rejects.toThrow(refused);
      await queries.update(members).set({ aspId: 'TESTASP00000001' }).where(ofMember);

      await queries.update(registrations).set({ aspId: 'TESTASP00000002' }).where(ofNumber);
      await reseal(on);
      await expect(open()).rejects.toThrow(refused);
      await queries
        .update(registrations)
        .set({ aspId: 'TESTASP00000001', userId: other.userId })
        .where(ofNumber);
      await reseal(on);
      await expect(open()).rejects.toThrow(refused);
      await queries
        .update(memberKeys)
        .set({ sealedDataKey: key!.sealedDataKey })
        .where(eq(memberKeys.userId, other.userId));
      await expect(open()).rejects.toThrow(refused);

      await queries.update(registrations).set({ userId: member.userId }).where(ofNumber);
      await reseal(on);
      expect((await open()).details).toMatchObject({ holderName: member.facts.userName });
    });

    it.for([secretKeys, cryptoKeys])('of one project is none of another', async (table) => {
      const [theirs, ours] = ['TESTASP00000001', 'TESTASP00000002'] as const;
      const attack = on.database.queries.transaction(async (transaction) => {
        await transaction.update(table).set({ aspId: ours }).where(eq(table.aspId, theirs));
        const ofTransaction = createStores(transaction, oldKey);
        await reseal({ database: { queries: transaction }, stores: ofTransaction });
        const { projects } = ofTransaction;
        await expect(projects.find(ours)).rejects.toThrow('unable to authenticate');
        transaction.rollback();
      });
      await expect(attack).rejects.toThrow('Rollback');
    });

    it('stays readable when a key is rotated, and new members get the new key', async () => {
      const old = await on.addMember();
      const rotated = createStores(on.database.queries, `${newKey},${oldKey}`);
      const recent = await on.addMember(rotated);
      expect((await rotated.members.find('TESTASP00000001', old.userId))?.facts).toEqual(old.facts);
      expect((await rotated.projects.find('TESTASP00000001'))?.secretKeys).toMatchObject([
        { secret: 'secret key of TESTASP00000001' },
      ]);

      await rewrapSealKey(on.database.queries);
      const withoutOld = createStores(on.database.queries, newKey);
      expect((await withoutOld.members.find('TESTASP00000001', recent.userId))?.facts).toEqual(recent.facts);
      await expect(withoutOld.members.find('TESTASP00000001', old.userId)).rejects.toThrow('ID old');
    });
  });

  describe('evidence of consent', () => {
    async function addEvidence() {
      const member = await on.addMember();
      const registrationNumber = await on.addRegistration(member);
      const evidence = { ...inventedEvidence, registrationNumber };
      await on.stores.consentEvidence.store(member.cipher, evidence);
      const ofThis = eq(consentEvidence.registrationNumber, registrationNumber);
      return { member, evidence, registrationNumber, ofThis };
    }

    it('is stored once and read back unchanged', async () => {
      const { member, evidence, registrationNumber } = await addEvidence();
      await on.stores.consentEvidence.store(member.cipher, { ...evidence, recording: randomBytes(1_000) });
      const recording = await on.stores.consentEvidence.openRecording(member.cipher, registrationNumber);
      expect(recording.equals(evidence.recording)).toBe(true);
    });

    it.for([0, 12, 500, 1_027])('is refused when one bit of byte %d was altered', async (position) => {
      const { member, registrationNumber, ofThis } = await addEvidence();
      const [row] = await on.database.queries.select().from(consentEvidence).where(ofThis);
      const sealedRecording = Buffer.from(row!.sealedRecording!);
      expect(sealedRecording).toHaveLength(1_028);
      sealedRecording[position]! ^= 1;
      await on.database.queries.update(consentEvidence).set({ sealedRecording }).where(ofThis);
      await expect(
        on.stores.consentEvidence.openRecording(member.cipher, registrationNumber),
      ).rejects.toThrow('unable to authenticate');
    });
  });
});
