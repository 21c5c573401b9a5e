import { createHash } from 'node:crypto';
import { and, asc, eq, getTableColumns, gt, inArray } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { ConsentScriptVersion } from '../contract/consent-scripts.ts';
import type { Queries } from './database.ts';
import type { MemberCipher } from './member-cipher.ts';
import { PersonalDataErased } from './personal-data-erased.ts';
import type { WithRetention } from './registration-alteration.ts';
import { keptUntil } from './retention.ts';
import type { RowSeals } from './row-seals.ts';
import {
  accounts,
  consentEvidence,
  legalHolds,
  memberKeys,
  members,
  policies,
  projects,
  registrations,
  resultNotifications,
} from './schema.ts';

/** Evidence of consent as it is stored. */
export type StoredEvidence = typeof consentEvidence.$inferSelect;

/** Evidence of consent without the recording itself. */
export type EvidenceRecord = Omit<StoredEvidence, 'sealedRecording'>;

/** The columns of {@link EvidenceRecord}. */
export const { sealedRecording: _, ...evidenceColumns } = getTableColumns(consentEvidence);

/** A registration with all rows that belong to it; null: there is no such row. */
export interface StoredRegistration extends WithRetention {
  readonly registration: typeof registrations.$inferSelect;
  readonly evidence: StoredEvidence | null;
  readonly member: typeof members.$inferSelect | null;
  readonly key: typeof memberKeys.$inferSelect | null;
  readonly notification: typeof resultNotifications.$inferSelect | null;
  /** Null: there is no such service provider, or policy. */
  readonly aspId: string | null;
  readonly policyId: string | null;
  readonly keptUntil: Date | null;
}

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

/**
 * What is authenticated with a recording: the registration it belongs to and, in the order of the columns, everything
 * that is stored beside it.
 */
export function evidenceContext(evidence: Omit<EvidenceRecord, 'seal'>): string {
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
export function createConsentEvidence(queries: Queries, rowSeals: RowSeals) {
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
        .values({
          ...record,
          sealedRecording: cipher.seal(recording, evidenceContext(record)),
          seal: (await rowSeals.open()).seal('consentEvidence', record),
        })
        .onConflictDoNothing();
    },

    /** The evidence of a registration, if any is stored. @throws {AlteredRow} */
    async find(registrationNumber: string): Promise<EvidenceRecord | undefined> {
      const [row] = await queries
        .select(evidenceColumns)
        .from(consentEvidence)
        .where(eq(consentEvidence.registrationNumber, registrationNumber));
      return row && (await rowSeals.open()).authentic('consentEvidence', row);
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
     * Every registration with all rows that belong to it, unverified, ordered by number; with `only`, just that one. Reads a
     * few at a time.
     */
    async *readAll(only?: string): AsyncGenerator<StoredRegistration> {
      // No text is a bound at first: a row with an empty number would be below it.
      for (let last: string | undefined; ;) {
        const page = await queries
          .select({
            registration: registrations,
            evidence: consentEvidence,
            member: members,
            key: memberKeys,
            account: accounts,
            notification: resultNotifications,
            aspId: projects.aspId,
            policyId: policies.policyId,
            keptUntil,
          })
          .from(registrations)
          .leftJoin(projects, eq(projects.aspId, registrations.aspId))
          .leftJoin(policies, eq(policies.policyId, registrations.policyId))
          .leftJoin(members, eq(members.userId, registrations.userId))
          .leftJoin(memberKeys, eq(memberKeys.userId, registrations.userId))
          // Each join begins where the page does: a merge join would read its index from the start.
          .leftJoin(consentEvidence, isOfPage(consentEvidence.registrationNumber, last))
          .leftJoin(accounts, isOfPage(accounts.registrationNumber, last))
          .leftJoin(resultNotifications, isOfPage(resultNotifications.registrationNumber, last))
          .where(
            and(
              last === undefined ? undefined : gt(registrations.registrationNumber, last),
              only === undefined ? undefined : eq(registrations.registrationNumber, only),
            ),
          )
          .orderBy(asc(registrations.registrationNumber))
          .limit(rowsPerPage);
        const numbers = page.map(({ registration }) => registration.registrationNumber);
        const holds = await queries
          .select()
          .from(legalHolds)
          .where(inArray(legalHolds.registrationNumber, numbers));
        for (const { account, ...row } of page) {
          const { registrationNumber } = row.registration;
          const ofIt = holds.filter((hold) => hold.registrationNumber === registrationNumber);
          yield { ...row, account: account ?? undefined, holds: ofIt };
        }
        if (page.length < rowsPerPage) return;
        last = numbers.at(-1);
      }
    },
  };
}

const isOfPage = (number: AnyPgColumn, last: string | undefined) =>
  and(eq(number, registrations.registrationNumber), last === undefined ? undefined : gt(number, last));
