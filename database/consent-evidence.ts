import { createHash } from 'node:crypto';
import { and, asc, eq, getTableColumns, gt, isNotNull, isNull, or, sql } from 'drizzle-orm';
import type { ConsentScriptVersion } from '../contract/consent-scripts.ts';
import type { Queries } from './database.ts';
import type { MemberCipher } from './member-cipher.ts';
import { PersonalDataErased } from './personal-data-erased.ts';
import { keptUntil } from './retention.ts';
import { accounts, consentEvidence, legalHolds, memberKeys, members, registrations } from './schema.ts';

/** Evidence of consent as it is stored. */
export type StoredEvidence = typeof consentEvidence.$inferSelect;

/** Evidence of consent without the recording itself. */
export type EvidenceRecord = Omit<StoredEvidence, 'sealedRecording'>;

/** A recording about to be stored. */
export interface NewEvidence extends Pick<
  EvidenceRecord,
  'registrationNumber' | 'callId' | 'attempt' | 'format'
> {
  readonly scriptVersion: ConsentScriptVersion;
  readonly durationMs: number;
  readonly recording: Buffer;
}

/** How many recordings are held in memory at once. */
const rowsPerPage = 20;

/** A part of the timeline of every registration whose evidence was stored. */
const evidenceStored = [{ step: 'CONSENT_EVIDENCE_STORED', outcome: 'STORED' }];

/**
 * What is authenticated with a recording: the registration it belongs to and, in the order of the columns, everything
 * that is stored beside it.
 */
export function evidenceContext(evidence: EvidenceRecord): string {
  const { registrationNumber, callId, attempt, scriptVersion, format, bytes, durationMs, sha256, storedAt } =
    evidence;
  const record = [callId, attempt, scriptVersion, format, bytes, durationMs, sha256, storedAt.toISOString()];
  return `consent-evidence/${registrationNumber}/${JSON.stringify(record)}`;
}

/**
 * Decrypts a recording. Throws when the recording or anything stored about it was altered.
 * @throws {PersonalDataErased}
 */
export function openRecording(cipher: MemberCipher, evidence: StoredEvidence): Buffer {
  if (!evidence.sealedRecording)
    throw new PersonalDataErased(`The recording for ${evidence.registrationNumber} was erased.`);
  const recording = cipher.open(evidence.sealedRecording, evidenceContext(evidence));
  if (sha256Of(recording) !== evidence.sha256)
    throw new Error(`The evidence of consent for ${evidence.registrationNumber} was altered.`);
  return recording;
}

function sha256Of(recording: Buffer): string {
  return createHash('sha256').update(recording).digest('hex');
}

/** The recordings of the ARS calls in which members consented. */
export function createConsentEvidence(queries: Queries) {
  const { sealedRecording: _recording, ...columns } = getTableColumns(consentEvidence);

  return {
    /** Stores a recording with its SHA-256. Idempotent. */
    async store(cipher: MemberCipher, { recording, ...evidence }: NewEvidence): Promise<void> {
      const record = {
        ...evidence,
        bytes: recording.length,
        sha256: sha256Of(recording),
        storedAt: new Date(),
      };
      await queries
        .insert(consentEvidence)
        .values({ ...record, sealedRecording: cipher.seal(recording, evidenceContext(record)) })
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
      const [evidence] = await queries
        .select()
        .from(consentEvidence)
        .where(eq(consentEvidence.registrationNumber, registrationNumber));
      if (!evidence) throw new Error(`There is no evidence of consent for ${registrationNumber}.`);
      return openRecording(cipher, evidence);
    },

    /**
     * Every registration that has or had evidence, or must have it according to its timeline or its account. Each comes
     * with its member, the end of its retention period, and whether its account is in use or a legal hold in force.
     * They are ordered by number; with `only`, just that one. Reads a few at a time.
     */
    async *readAll(only?: string) {
      for (let last = ''; ;) {
        const page = await queries
          .select({
            registration: registrations,
            evidence: consentEvidence,
            member: members,
            key: memberKeys,
            keptUntil,
            isHeld: sql<boolean>`${legalHolds.legalHoldId} is not null`,
            hasLiveAccount: sql<boolean>`${accounts.state} is not null and ${accounts.state} <> 'REMOVED'`,
          })
          .from(registrations)
          .innerJoin(members, eq(members.userId, registrations.userId))
          .leftJoin(memberKeys, eq(memberKeys.userId, registrations.userId))
          // Each join begins where the page does: a merge join would read its index from the start.
          .leftJoin(
            consentEvidence,
            and(
              eq(consentEvidence.registrationNumber, registrations.registrationNumber),
              gt(consentEvidence.registrationNumber, last),
            ),
          )
          .leftJoin(
            accounts,
            and(
              eq(accounts.registrationNumber, registrations.registrationNumber),
              gt(accounts.registrationNumber, last),
            ),
          )
          .leftJoin(
            legalHolds,
            and(
              eq(legalHolds.registrationNumber, registrations.registrationNumber),
              isNull(legalHolds.releasedAt),
            ),
          )
          .where(
            and(
              gt(registrations.registrationNumber, last),
              only === undefined ? undefined : eq(registrations.registrationNumber, only),
              or(
                isNotNull(consentEvidence.registrationNumber),
                isNotNull(accounts.registrationNumber),
                eq(registrations.status, 'BANK_ACC_REGISTERED'),
                sql`${registrations.timeline} @> ${JSON.stringify(evidenceStored)}::jsonb`,
                isNotNull(registrations.purgedAt),
              ),
            ),
          )
          .orderBy(asc(registrations.registrationNumber))
          .limit(rowsPerPage);
        yield* page;
        const lastRow = page.at(-1);
        if (!lastRow || page.length < rowsPerPage) return;
        last = lastRow.registration.registrationNumber;
      }
    },
  };
}
