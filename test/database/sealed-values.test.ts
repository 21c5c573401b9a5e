import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { consentEvidence, members, registrations } from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import { describeStores, inventedEvidence, newKey, oldKey } from './stores-fixture.ts';

describeStores((on) => {
  describe('a sealed value', () => {
    it('can be decrypted only in its own location', async () => {
      const member = await on.addMember();
      const numbers = [
        await on.addRegistration(member, '11011111111'),
        await on.addRegistration(member, '22022222222'),
      ];
      const { details } = await on.stores.registrations.open(numbers[1]!);
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
        await expect(on.stores.registrations.open(number)).rejects.toThrow('unable to authenticate');
    });

    it('cannot be decrypted in the row of another member, even with its own data key', async () => {
      const [member, other] = [await on.addMember(), await on.addMember()];
      const [row] = await on.database.queries.select().from(members).where(eq(members.userId, member.userId));
      const sealedFacts = member.cipher.sealJson(member.facts, `members/${other.userId}/facts`);
      await on.database.queries
        .update(members)
        .set({ sealedDataKey: row!.sealedDataKey, sealedFacts })
        .where(eq(members.userId, other.userId));
      await expect(on.stores.members.find('TESTASP00000001', other.userId)).rejects.toThrow(
        'unable to authenticate',
      );
    });

    it('stays readable when a key is rotated, and new members get the new key', async () => {
      const old = await on.addMember();
      const rotated = createStores(on.database.queries, `${newKey},${oldKey}`);
      const recent = await on.addMember(rotated);
      expect((await rotated.members.find('TESTASP00000001', old.userId))?.facts).toEqual(old.facts);
      expect((await rotated.projects.find('TESTASP00000001'))?.secretKeys).toMatchObject([
        { secret: 'secret key of TESTASP00000001' },
      ]);

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
      const sealedRecording = Buffer.from(row!.sealedRecording);
      expect(sealedRecording).toHaveLength(1_028);
      sealedRecording[position]! ^= 1;
      await on.database.queries.update(consentEvidence).set({ sealedRecording }).where(ofThis);
      await expect(
        on.stores.consentEvidence.openRecording(member.cipher, registrationNumber),
      ).rejects.toThrow('unable to authenticate');
    });
  });
});
