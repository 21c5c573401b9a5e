import { and, asc, desc, eq, gte, inArray, isNotNull, isNull, lt, lte, sql } from 'drizzle-orm';
import type { BankCode } from '../wire/bank-codes.ts';
import type { RegistrationStep } from '../contract/registration.ts';
import type { RegistrationStatus } from '../wire/registration-status.ts';
import { checksToday } from './account-checks.ts';
import type { TimelineEntry } from '../wire/timeline.ts';
import { isUniqueViolation } from './failed-query.ts';
import { requireNotHandedOut } from './incarnations.ts';
import { lockRegistration, recordColumns } from './locked-registration.ts';
import type { RegistrationRecord } from './locked-registration.ts';
import type { KeyRing } from '../encryption/key-ring.ts';
import { isOpenOf } from './accounts.ts';
import type { Queries } from './database.ts';
import { openMember } from './members.ts';
import type { Member, StoredMember } from './members.ts';
import { PersonalDataErased } from './personal-data-erased.ts';
import type { Owner } from './member-cipher.ts';
import { AlteredRow } from './row-seals.ts';
import type { RowSealer, RowSeals } from './row-seals.ts';
import {
  consentEvidence,
  databaseTime,
  memberKeys,
  members,
  registrations,
  statementTime,
} from './schema.ts';

/** The personal part of a registration. */
export interface RegistrationDetails {
  readonly accountNumber: string;
  readonly bankName: string;
  readonly holderName: string;
  /** `yyyyMMdd`. */
  readonly birthDate: string;
  /** The number that the ARS calls. */
  readonly mobileNumber: string;
  /** The two-digit code that the member enters. */
  readonly authNumber: string;
}

/** A registration about to be inserted. */
export interface NewRegistration {
  readonly registrationNumber: string;
  readonly bankCode: BankCode;
  /** The code issued beforehand, or null for one made for this registration only. */
  readonly arsCodeId: string | null;
  /** Of the request that began it, in the documented form; null: a restore has lost it. */
  readonly correlationId: string | null;
  readonly policyId: string;
  readonly details: RegistrationDetails;
}

export type { RegistrationRecord } from './locked-registration.ts';

/** A registration whose run may be gone. */
export interface OverdueRegistration {
  readonly registrationNumber: string;
  readonly userId: string;
  readonly bankCode: string;
  readonly aspId: string;
  readonly correlationId: string | null;
  readonly status: RegistrationStatus;
  readonly step: RegistrationStep;
  readonly isBegun: boolean;
  /** How often it was found overdue since its run was last heard of, this time included. */
  readonly timesOverdue: number;
}

/**
 * How long a start may take before a registration that has not begun is withdrawn, in ms: far longer than Temporal may
 * take to accept a start.
 */
const startLimit = 2 * 60 * 1_000;

/** The account to be registered. */
export interface RegisteredAccount {
  readonly userId: string;
  readonly bankCode: string;
  /** Undefined when it cannot be decrypted. */
  readonly accountNumber: string | undefined;
  /** Of the stored evidence of consent; undefined when there is none. */
  readonly evidenceSha256: string | undefined;
}

/**
 * Which registrations to list: a member's, from a time (inclusive), until a time (exclusive), and before the last number of the
 * previous page.
 */
export interface ListFilter {
  readonly userId?: string | undefined;
  readonly status?: RegistrationStatus | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** A registration that a restore lost: what is still known of it. Unknown details are empty. */
export interface LostRegistration extends Omit<NewRegistration, 'arsCodeId' | 'bankCode'> {
  readonly bankCode: string;
  readonly startedAt: Date;
}

/** What the database knows of a registration that a run remembers. */
export interface RegistrationOutline {
  readonly userId: string;
  readonly policyId: string;
  readonly isBegun: boolean;
  readonly isEnded: boolean;
  /** Whether it was registered although there is no evidence of consent. */
  readonly lacksEvidence: boolean;
}

/** A number that has not begun was never handed out, so it is shown to nobody: its start or the sweep decides it. */
const isHandedOut = isNotNull(registrations.begunAt);

/** How many numbers are looked up in one query. */
const numbersPerQuery = 500;

/** The location of a registration's personal data, which is authenticated with it. */
export function detailsContext(registrationNumber: string): string {
  return `registrations/${registrationNumber}`;
}

/** What every new row has in common. */
const untouched = {
  status: 'ARS_AUTH_IN_PROGRESS',
  resultCode: null,
  begunAt: null,
  withdrawnAt: null,
  endedAt: null,
  purgedAt: null,
  notificationSequence: null,
  legalHolds: 0,
  passedCall: null,
} as const;

const accepted = (at: Date): TimelineEntry[] => [
  { step: 'ACCEPTED', at: at.toISOString(), attempt: 1, outcome: 'ACCEPTED' },
];

/** A registration with its member and the member's key. */
interface RegistrationRow extends StoredMember {
  readonly registration: typeof registrations.$inferSelect;
  readonly evidenceSha256: string | null;
}

/** The registrations of all members. */
export function createRegistrations(queries: Queries, keys: KeyRing, rowSeals: RowSeals) {
  const ofNumber = (registrationNumber: string) => eq(registrations.registrationNumber, registrationNumber);

  const authentic = (rows: readonly RegistrationRecord[]) => rowSeals.authentic('registrations', rows);

  function openAccount(sealer: RowSealer, row: RegistrationRow): RegisteredAccount {
    const { userId, bankCode, registrationNumber, sealedDetails } = row.registration;
    const common = { userId, bankCode, evidenceSha256: row.evidenceSha256 ?? undefined };
    try {
      sealer.authentic('registrations', row.registration);
      const { cipher } = openMember(keys, row, row.registration);
      const details =
        sealedDetails &&
        cipher.openJson<RegistrationDetails>(sealedDetails, detailsContext(registrationNumber));
      return { ...common, accountNumber: details?.accountNumber };
    } catch {
      return { ...common, accountNumber: undefined };
    }
  }

  /**
   * Reads a registration, whoever owns it, with the database's time; `open` opens its personal part. Throws when there is
   * none.
   * @throws {AlteredRow}
   */
  async function loadAny(registrationNumber: string) {
    const [row] = await queries
      .select({ registration: registrations, member: members, key: memberKeys, now: databaseTime })
      .from(registrations)
      .innerJoin(members, eq(members.userId, registrations.userId))
      .leftJoin(memberKeys, eq(memberKeys.userId, registrations.userId))
      .where(ofNumber(registrationNumber));
    if (!row) throw new Error(`There is no registration ${registrationNumber}.`);
    const { sealedDetails, ...record } = row.registration;
    (await rowSeals.open()).authentic('registrations', record);
    const decrypt = () => {
      const member = openMember(keys, row, record);
      if (!sealedDetails) throw new PersonalDataErased(`Registration ${registrationNumber} is purged.`);
      const context = detailsContext(registrationNumber);
      return { member, details: member.cipher.openJson<RegistrationDetails>(sealedDetails, context) };
    };
    let opened: ReturnType<typeof decrypt> | undefined;
    return {
      record,
      now: row.now,
      /** Decrypts once, however often it is called. @throws {PersonalDataErased} */
      open: () => (opened ??= decrypt()),
    };
  }

  /** Reads a registration of this member. @throws {AlteredRow} when it is another's: nobody's request names that number */
  async function load({ aspId, userId }: Owner, registrationNumber: string) {
    const loaded = await loadAny(registrationNumber);
    if (loaded.record.aspId === aspId && loaded.record.userId === userId) return loaded;
    throw new AlteredRow(`Registration ${registrationNumber} is not of member ${userId}, who was to get it.`);
  }

  /** @returns whether the row was as it was seen */
  async function beginUnchanged(seen: RegistrationRecord): Promise<boolean> {
    const sealer = await rowSeals.open();
    const begunAt = seen.begunAt ?? new Date();
    const seal = sealer.seal('registrations', { ...sealer.authentic('registrations', seen), begunAt });
    const begun = await queries
      .update(registrations)
      .set({ begunAt, seal })
      .where(and(ofNumber(seen.registrationNumber), eq(registrations.seal, seen.seal)))
      .returning({ seal: registrations.seal });
    return begun.length > 0;
  }

  return {
    /**
     * Inserts a registration. To be called before its run starts, so that every issued number has a row.
     * @param maxChecks how many accounts may be checked today for the member
     * @returns the row; MEMBER_ERASED when the member was erased in the meantime, CHECK_LIMIT when so many accounts were
     * checked, and ADDED_BEFORE when there is such a number: nothing is inserted then
     */
    async add(
      { userId, aspId, cipher }: Member,
      registration: NewRegistration,
      maxChecks = Infinity,
    ): Promise<RegistrationRecord | 'ADDED_BEFORE' | 'MEMBER_ERASED' | 'CHECK_LIMIT'> {
      const { details, registrationNumber, bankCode, arsCodeId, correlationId, policyId } = registration;
      return await queries.transaction(async (transaction) => {
        const sealer = await rowSeals.open(transaction);
        const [unerased] = await transaction
          .select({ checks: checksToday(userId, registrationNumber), now: databaseTime })
          .from(members)
          .where(and(eq(members.userId, userId), isNull(members.erasedAt)))
          // Waits for an erasure in progress; no other can begin before this row is committed.
          .for('key share');
        if (!unerased) return 'MEMBER_ERASED';
        const { checks, now } = unerased;
        if (checks >= maxChecks) return 'CHECK_LIMIT';
        const row = {
          ...untouched,
          registrationNumber,
          userId,
          aspId,
          bankCode,
          arsCodeId,
          correlationId,
          policyId,
          step: 'ACCOUNT_HOLDER_CHECK',
          createdAt: now,
          timeline: accepted(now),
        } as const;
        const lookAt = sql`clock_timestamp() + ${`${startLimit} milliseconds`}::interval`;
        const added = await transaction
          .insert(registrations)
          .values({
            ...row,
            sealedDetails: cipher.sealJson(details, detailsContext(registrationNumber)),
            lookAt,
            seal: sealer.seal('registrations', row),
          })
          .onConflictDoNothing({ target: registrations.registrationNumber })
          .returning(recordColumns);
        return added[0] ?? 'ADDED_BEFORE';
      });
    },

    /** How far the start of a registration has come. */
    async findStart(registrationNumber: string): Promise<'NONE' | 'STARTING' | 'BEGUN' | 'WITHDRAWN'> {
      const [row] = await queries
        .select({ begunAt: registrations.begunAt, withdrawnAt: registrations.withdrawnAt })
        .from(registrations)
        .where(ofNumber(registrationNumber));
      if (!row) return 'NONE';
      if (row.withdrawnAt) return 'WITHDRAWN';
      return row.begunAt ? 'BEGUN' : 'STARTING';
    },

    /** The row of a registration that a restore lost, to be inserted by the ledger. */
    async rowOfLost(
      { userId, aspId, cipher }: Member,
      lost: LostRegistration,
    ): Promise<typeof registrations.$inferInsert> {
      const { registrationNumber, bankCode, correlationId, policyId, details, startedAt } = lost;
      const row = {
        ...untouched,
        registrationNumber,
        userId,
        aspId,
        bankCode,
        arsCodeId: null,
        correlationId,
        policyId,
        step: 'ARS_CALL',
        createdAt: startedAt,
        timeline: accepted(startedAt),
      } as const;
      return {
        ...row,
        sealedDetails: cipher.sealJson(details, detailsContext(registrationNumber)),
        seal: (await rowSeals.open()).seal('registrations', row),
      };
    },

    /** Those of these registrations that are known, by number. */
    async outline(numbers: readonly string[]): Promise<ReadonlyMap<string, RegistrationOutline>> {
      const outlines = new Map<string, RegistrationOutline>();
      const { registrationNumber, userId, policyId } = registrations;
      for (let start = 0; start < numbers.length; start += numbersPerQuery) {
        const rows = await queries
          .select({
            registrationNumber,
            userId,
            policyId,
            isBegun: sql<boolean>`${registrations.begunAt} is not null`,
            isEnded: sql<boolean>`${registrations.endedAt} is not null`,
            lacksEvidence: sql<boolean>`${registrations.status} = 'BANK_ACC_REGISTERED' and ${registrations.purgedAt} is null and ${consentEvidence.registrationNumber} is null`,
          })
          .from(registrations)
          .leftJoin(consentEvidence, eq(consentEvidence.registrationNumber, registrationNumber))
          .where(inArray(registrationNumber, numbers.slice(start, start + numbersPerQuery)));
        for (const { registrationNumber: number, ...outline } of rows) outlines.set(number, outline);
      }
      return outlines;
    },

    /**
     * Records that the registration has a run, so that it is not withdrawn any more. Idempotent. One statement if the row is
     * still as it was `seen`: inserted or read.
     * @returns MEMBER_BUSY when another registration of the member is open: Temporal has forgotten that one's run
     */
    async begin(
      registrationNumber: string,
      seen?: RegistrationRecord,
    ): Promise<'BEGUN' | 'WITHDRAWN' | 'MEMBER_BUSY'> {
      try {
        if (seen && !seen.withdrawnAt && (await beginUnchanged(seen))) return 'BEGUN';
        const { registration } = await lockRegistration(
          queries,
          rowSeals,
          registrationNumber,
          async (locked) => {
            const { row, now } = locked;
            if (!row.begunAt && !row.withdrawnAt) locked.change({ begunAt: now });
          },
        );
        return registration ? 'BEGUN' : 'WITHDRAWN';
      } catch (error) {
        if (isUniqueViolation(error, 'one_open_registration_per_member')) return 'MEMBER_BUSY';
        throw error;
      }
    },

    /**
     * Takes back a registration that has not begun: nobody has its number. Its personal part goes.
     * @returns whether it is taken back; false when it has begun
     * @throws {DatabaseRestored} while a restore may have lost that it had begun
     */
    async withdraw(registrationNumber: string): Promise<boolean> {
      await requireNotHandedOut(queries, registrationNumber);
      const ofEvidence = eq(consentEvidence.registrationNumber, registrationNumber);
      const hasEvidence = async (transaction: Queries) =>
        (await transaction.$count(consentEvidence, ofEvidence)) > 0;
      const { registration } = await lockRegistration(
        queries,
        rowSeals,
        registrationNumber,
        async (locked) => {
          const { row, now } = locked;
          // One that was cancelled before it began has its result to be reported.
          if (row.begunAt || row.endedAt) return;
          // Whoever has put back the row as it was before it began has not undone what came of it.
          if (locked.hasEffects || (await hasEvidence(locked.transaction))) return;
          const status = 'BANK_ACC_REG_FAILED';
          const times = { withdrawnAt: now, endedAt: now, purgedAt: now };
          locked.change({ ...times, status, step: 'DONE', sealedDetails: null });
        },
      );
      return registration === null;
    },

    /** Deletes registrations that were withdrawn a day ago: no late start of theirs can come any more. */
    async deleteWithdrawn(): Promise<void> {
      await queries
        .delete(registrations)
        .where(lt(registrations.withdrawnAt, sql`${statementTime} - interval '1 day'`));
    },

    /** The member's open registration that has begun, if there is one. */
    async findOpen(userId: string): Promise<RegistrationRecord | undefined> {
      const rows = await queries.select(recordColumns).from(registrations).where(isOpenOf(userId));
      return (await authentic(rows))[0];
    },

    /**
     * Takes open registrations whose runs were not heard of for too long, the longest first. Each is taken once, by one
     * process; it is overdue again after a minute, then two, up to an hour.
     */
    async takeOverdue(limit: number): Promise<OverdueRegistration[]> {
      const overdue = queries
        .select({ registrationNumber: registrations.registrationNumber })
        .from(registrations)
        .where(and(isNull(registrations.endedAt), lte(registrations.lookAt, statementTime)))
        .orderBy(asc(registrations.lookAt))
        .limit(limit)
        .for('no key update', { skipLocked: true });
      const backoff = sql`least(interval '1 minute' * power(2, least(${registrations.replacements}, 6)), interval '1 hour')`;
      return await queries
        .update(registrations)
        .set({
          lookAt: sql`clock_timestamp() + ${backoff}`,
          replacements: sql`${registrations.replacements} + 1`,
        })
        .where(inArray(registrations.registrationNumber, overdue))
        .returning({
          registrationNumber: registrations.registrationNumber,
          userId: registrations.userId,
          bankCode: registrations.bankCode,
          aspId: registrations.aspId,
          correlationId: registrations.correlationId,
          status: registrations.status,
          step: registrations.step,
          isBegun: sql<boolean>`${registrations.begunAt} is not null`,
          timesOverdue: registrations.replacements,
        });
    },

    /** Makes open registrations overdue at once: one, or all. @returns how many */
    async makeOverdue(registrationNumber?: string): Promise<number> {
      const made = await queries
        .update(registrations)
        .set({ lookAt: databaseTime, replacements: 0 })
        .where(
          and(
            isNull(registrations.endedAt),
            isHandedOut,
            registrationNumber === undefined ? undefined : ofNumber(registrationNumber),
          ),
        )
        .returning({ registrationNumber: registrations.registrationNumber });
      return made.length;
    },

    /** The open registrations in a step, the oldest first. */
    async listInStep(step: RegistrationStep, limit: number): Promise<RegistrationRecord[]> {
      const rows = await queries
        .select(recordColumns)
        .from(registrations)
        .where(and(eq(registrations.step, step), isNull(registrations.endedAt), isHandedOut))
        .orderBy(asc(registrations.createdAt))
        .limit(limit);
      return await authentic(rows);
    },

    /** The registration of this number, if the service provider was given it. */
    async find(aspId: string, registrationNumber: string): Promise<RegistrationRecord | undefined> {
      const rows = await queries
        .select(recordColumns)
        .from(registrations)
        .where(and(ofNumber(registrationNumber), eq(registrations.aspId, aspId), isHandedOut));
      return (await authentic(rows))[0];
    },

    /** The registration of this number, whoever was given it. */
    async findAny(registrationNumber: string): Promise<RegistrationRecord | undefined> {
      const rows = await queries
        .select(recordColumns)
        .from(registrations)
        .where(and(ofNumber(registrationNumber), isHandedOut));
      return (await authentic(rows))[0];
    },

    /** The registrations that requests with this correlation ID began, the latest first: a client may repeat one. */
    async listOfRequest(correlationId: string, limit: number): Promise<RegistrationRecord[]> {
      const rows = await queries
        .select(recordColumns)
        .from(registrations)
        .where(and(eq(registrations.correlationId, correlationId), isHandedOut))
        .orderBy(desc(registrations.registrationNumber))
        .limit(limit);
      return await authentic(rows);
    },

    /** Of the request that began a registration; null: it is not known. For the log, so its seal is not checked. */
    async findCorrelationId(registrationNumber: string): Promise<string | null> {
      const { correlationId } = registrations;
      const [row] = await queries
        .select({ correlationId })
        .from(registrations)
        .where(ofNumber(registrationNumber));
      return row?.correlationId ?? null;
    },

    load,

    loadAny,

    /**
     * This member's registration with its personal part and its member. Throws when there is none.
     * @throws {AlteredRow} when it is another member's
     * @throws {PersonalDataErased} when its member is erased, or it was purged at the end of its retention
     */
    async open(owner: Owner, registrationNumber: string) {
      const { record, open } = await load(owner, registrationNumber);
      return { ...record, ...open() };
    },

    /** The same for operators: whoever owns it. */
    async openAny(registrationNumber: string) {
      const { record, open } = await loadAny(registrationNumber);
      return { ...record, ...open() };
    },

    /** The accounts of those registrations that are ours, by number. */
    async openAccounts(
      registrationNumbers: readonly string[],
    ): Promise<ReadonlyMap<string, RegisteredAccount>> {
      const rows = await queries
        .select({
          registration: registrations,
          member: members,
          key: memberKeys,
          evidenceSha256: consentEvidence.sha256,
        })
        .from(registrations)
        .innerJoin(members, eq(members.userId, registrations.userId))
        .leftJoin(memberKeys, eq(memberKeys.userId, registrations.userId))
        .leftJoin(consentEvidence, eq(consentEvidence.registrationNumber, registrations.registrationNumber))
        .where(inArray(registrations.registrationNumber, [...registrationNumbers]));
      const sealer = await rowSeals.open();
      return new Map(rows.map((row) => [row.registration.registrationNumber, openAccount(sealer, row)]));
    },

    /** A service provider's registrations, newest first, at most `limit` of them. */
    async list(
      aspId: string,
      { userId, status, from, to, before, limit }: ListFilter,
    ): Promise<RegistrationRecord[]> {
      const rows = await queries
        .select(recordColumns)
        .from(registrations)
        .where(
          and(
            eq(registrations.aspId, aspId),
            isHandedOut,
            userId === undefined ? undefined : eq(registrations.userId, userId),
            status && eq(registrations.status, status),
            from && gte(registrations.createdAt, from),
            to && lt(registrations.createdAt, to),
            before ? lt(registrations.registrationNumber, before) : undefined,
          ),
        )
        .orderBy(desc(registrations.registrationNumber))
        .limit(limit);
      return await authentic(rows);
    },
  };
}
