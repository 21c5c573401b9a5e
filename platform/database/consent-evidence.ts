import { createHash } from 'node:crypto';
import { eq, getTableColumns } from 'drizzle-orm';
import type { Queries } from './database.ts';
import type { MemberCipher } from './member-cipher.ts';
import { consentEvidence } from './schema.ts';

/** Evidence of consent without the recording itself. */
export type EvidenceRecord = Omit<typeof consentEvidence.$inferSelect, 'sealedRecording'>;

/** A recording about to be stored. */
export interface NewEvidence extends Pick<
  EvidenceRecord,
  'registrationNumber' | 'callId' | 'attempt' | 'scriptVersion' | 'format'
> {
  readonly recording: Buffer;
}

/** The recordings of the ARS calls in which members consented. */
export function createConsentEvidence(queries: Queries) {
  const context = (registrationNumber: string) => `consent-evidence/${registrationNumber}`;
  const { sealedRecording: _recording, ...columns } = getTableColumns(consentEvidence);

  return {
    /** Stores a recording with its SHA-256; the same again is harmless. */
    async store(cipher: MemberCipher, { recording, ...evidence }: NewEvidence): Promise<void> {
      await queries
        .insert(consentEvidence)
        .values({
          ...evidence,
          bytes: recording.length,
          sha256: createHash('sha256').update(recording).digest('hex'),
          sealedRecording: cipher.seal(recording, context(evidence.registrationNumber)),
        })
        .onConflictDoNothing();
    },

    /** The evidence of a registration, if any is stored. */
    async find(registrationNumber: string): Promise<EvidenceRecord | undefined> {
      const [row] = await queries
        .select(columns)
        .from(consentEvidence)
        .where(eq(consentEvidence.registrationNumber, registrationNumber));
      return row;
    },

    /** The recording itself. Throws when there is none, or when it was altered. */
    async openRecording(cipher: MemberCipher, registrationNumber: string): Promise<Buffer> {
      const [row] = await queries
        .select()
        .from(consentEvidence)
        .where(eq(consentEvidence.registrationNumber, registrationNumber));
      if (!row) throw new Error(`There is no evidence of consent for ${registrationNumber}.`);
      const recording = cipher.open(row.sealedRecording, context(registrationNumber));
      const sha256 = createHash('sha256').update(recording).digest('hex');
      if (sha256 !== row.sha256)
        throw new Error(`The evidence of consent for ${registrationNumber} was altered.`);
      return recording;
    },
  };
}
