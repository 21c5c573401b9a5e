import { and, desc, eq, getTableColumns, gte, inArray, isNull, lt } from 'drizzle-orm';
import type { BankCode } from '../wire/bank-codes.ts';
import type { FailedStatus, RegistrationStatus } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { TimelineEntry } from '../wire/timeline.ts';
import type { KeyRing } from '../encryption/key-ring.ts';
import { createAccountId } from './accounts.ts';
import { queueNotification } from './result-notifications.ts';
import type { Queries } from './database.ts';
import { openMember } from './members.ts';
import type { Member } from './members.ts';
import { PersonalDataErased } from './personal-data-erased.ts';
import { accounts, members, projects, registrations } from './schema.ts';
import { codes } from '../wire/result-codes.ts';

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
  readonly details: RegistrationDetails;
}

/** A registration without its personal part. */
export type RegistrationRecord = Omit<typeof registrations.$inferSelect, 'sealedDetails'>;

/** A registration in a list, without its timeline. */
export type ListedRegistration = Omit<RegistrationRecord, 'timeline'>;

/** How a registration failed. */
export interface FailedEnd {
  readonly status: FailedStatus;
  readonly resultCode: ResultCode;
  readonly timeline: readonly TimelineEntry[];
}

/** The result of an activation. */
export interface Activation {
  readonly replaced: string | null;
  /** Whether the service provider gets a result notification. */
  readonly hasNotification: boolean;
}

/** The account to be registered. */
export interface RegisteredAccount {
  readonly userId: string;
  readonly bankCode: string;
  /** Undefined when it cannot be decrypted. */
  readonly accountNumber: string | undefined;
}

/**
 * Which registrations to list: from a time (inclusive), until a time (exclusive), and before the last number of the
 * previous page.
 */
export interface ListFilter {
  readonly status?: RegistrationStatus | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** The location of a registration's personal data, which is authenticated with it. */
export function detailsContext(registrationNumber: string): string {
  return `registrations/${registrationNumber}`;
}

/** The registrations of all members. */
export function createRegistrations(queries: Queries, keys: KeyRing) {
  const { sealedDetails: _sealedDetails, ...columns } = getTableColumns(registrations);
  const { timeline: _timeline, ...listedColumns } = columns;

  function openAccount(row: {
    registrations: typeof registrations.$inferSelect;
    members: typeof members.$inferSelect;
  }): RegisteredAccount {
    const { userId, bankCode, registrationNumber, sealedDetails } = row.registrations;
    try {
      const { cipher } = openMember(keys, row.members);
      const details =
        sealedDetails &&
        cipher.openJson<RegistrationDetails>(sealedDetails, detailsContext(registrationNumber));
      return { userId, bankCode, accountNumber: details?.accountNumber };
    } catch {
      return { userId, bankCode, accountNumber: undefined };
    }
  }

  return {
    /**
     * Inserts a registration. To be called before its run starts, so that every issued number has a row.
     * @returns false when the member was erased in the meantime; nothing is inserted then
     */
    async add({ userId, aspId, cipher }: Member, registration: NewRegistration): Promise<boolean> {
      const { details, registrationNumber, bankCode, arsCodeId } = registration;
      return await queries.transaction(async (transaction) => {
        const unerased = await transaction
          .select({ userId: members.userId })
          .from(members)
          .where(and(eq(members.userId, userId), isNull(members.erasedAt)))
          // Waits for an erasure in progress; no other can begin before this row is committed.
          .for('key share');
        if (unerased.length === 0) return false;
        await transaction.insert(registrations).values({
          registrationNumber,
          userId,
          aspId,
          bankCode,
          arsCodeId,
          sealedDetails: cipher.sealJson(details, detailsContext(registrationNumber)),
          status: 'ARS_AUTH_IN_PROGRESS',
        });
        return true;
      });
    },

    /** Takes back a registration whose run was refused or never began. */
    async remove(registrationNumber: string): Promise<void> {
      await queries.delete(registrations).where(eq(registrations.registrationNumber, registrationNumber));
    },

    /** The registrations inserted between two times that have not ended. */
    async listWithoutEnd(
      writtenFrom: Date,
      writtenBefore: Date,
    ): Promise<Pick<RegistrationRecord, 'registrationNumber' | 'userId'>[]> {
      return await queries
        .select({ registrationNumber: registrations.registrationNumber, userId: registrations.userId })
        .from(registrations)
        .where(
          and(
            isNull(registrations.endedAt),
            gte(registrations.createdAt, writtenFrom),
            lt(registrations.createdAt, writtenBefore),
          ),
        );
    },

    /** The registration of this number, if the service provider has one. */
    async find(aspId: string, registrationNumber: string): Promise<RegistrationRecord | undefined> {
      const [row] = await queries
        .select(columns)
        .from(registrations)
        .where(and(eq(registrations.registrationNumber, registrationNumber), eq(registrations.aspId, aspId)));
      return row;
    },

    /** The member a registration belongs to, if there is such a registration. */
    async findUserId(registrationNumber: string): Promise<string | undefined> {
      const [row] = await queries
        .select({ userId: registrations.userId })
        .from(registrations)
        .where(eq(registrations.registrationNumber, registrationNumber));
      return row?.userId;
    },

    /**
     * The registration with its personal part, its member and its project's rule. Throws when there is none.
     * @throws {PersonalDataErased} when its member is erased, or it was purged at the end of its retention
     */
    async open(registrationNumber: string) {
      const [row] = await queries
        .select()
        .from(registrations)
        .innerJoin(members, eq(members.userId, registrations.userId))
        .innerJoin(projects, eq(projects.aspId, registrations.aspId))
        .where(eq(registrations.registrationNumber, registrationNumber));
      if (!row) throw new Error(`There is no registration ${registrationNumber}.`);
      const member = openMember(keys, row.members);
      const { sealedDetails, ...registration } = row.registrations;
      if (!sealedDetails) throw new PersonalDataErased(`Registration ${registrationNumber} is purged.`);
      return {
        ...registration,
        member,
        details: member.cipher.openJson<RegistrationDetails>(
          sealedDetails,
          detailsContext(registrationNumber),
        ),
        comparesMember: row.projects.comparesMember,
      };
    },

    /** The accounts of those registrations that are ours, by number. */
    async openAccounts(
      registrationNumbers: readonly string[],
    ): Promise<ReadonlyMap<string, RegisteredAccount>> {
      const rows = await queries
        .select()
        .from(registrations)
        .innerJoin(members, eq(members.userId, registrations.userId))
        .where(inArray(registrations.registrationNumber, [...registrationNumbers]));
      return new Map(rows.map((row) => [row.registrations.registrationNumber, openAccount(row)]));
    },

    /** Records that the member has passed the ARS authentication. A registration that has ended stays unchanged. */
    async markArsDone(registrationNumber: string): Promise<void> {
      await queries
        .update(registrations)
        .set({ status: 'ARS_AUTH_DONE' })
        .where(and(eq(registrations.registrationNumber, registrationNumber), isNull(registrations.endedAt)));
    },

    /** A service provider's registrations, newest first, at most `limit` of them. */
    async list(
      aspId: string,
      { status, from, to, before, limit }: ListFilter,
    ): Promise<ListedRegistration[]> {
      return await queries
        .select(listedColumns)
        .from(registrations)
        .where(
          and(
            eq(registrations.aspId, aspId),
            status && eq(registrations.status, status),
            from && gte(registrations.createdAt, from),
            to && lt(registrations.createdAt, to),
            before ? lt(registrations.registrationNumber, before) : undefined,
          ),
        )
        .orderBy(desc(registrations.registrationNumber))
        .limit(limit);
    },

    /** Records a failure. Idempotent; a registration that has ended stays unchanged. */
    async fail(registrationNumber: string, end: FailedEnd): Promise<{ hasNotification: boolean }> {
      return await queries.transaction(async (transaction) => {
        await transaction
          .update(registrations)
          .set({ ...end, endedAt: new Date() })
          .where(
            and(eq(registrations.registrationNumber, registrationNumber), isNull(registrations.endedAt)),
          );
        return { hasNotification: await queueNotification(transaction, registrationNumber) };
      });
    },

    /**
     * Makes the registered account the member's one active account. In one transaction the account active so far
     * becomes REPLACED, so at every moment exactly one is usable. Repeating it changes nothing and answers the same.
     * @returns `replaced`: the number of the replaced registration that is still to be removed, or null.
     */
    async activate(registrationNumber: string, timeline: readonly TimelineEntry[]): Promise<Activation> {
      return await queries.transaction(async (transaction) => {
        const [registration] = await transaction
          .select({ userId: members.userId })
          .from(registrations)
          .innerJoin(members, eq(members.userId, registrations.userId))
          .where(eq(registrations.registrationNumber, registrationNumber))
          // One activation of a member at a time: two at once would not see each other's account. The registration is
          // locked first, as everywhere: a legal hold that came between would wait for this one and this one for it.
          .for('no key update');
        if (!registration) throw new Error(`There is no registration ${registrationNumber}.`);
        const { userId } = registration;
        const activated = await transaction
          .select({ state: accounts.state })
          .from(accounts)
          .where(eq(accounts.registrationNumber, registrationNumber));
        if (activated.length === 0) {
          await transaction
            .update(registrations)
            .set({ status: 'BANK_ACC_REGISTERED', resultCode: codes.SUCCESS, endedAt: new Date(), timeline })
            .where(eq(registrations.registrationNumber, registrationNumber));
          await transaction
            .update(accounts)
            .set({ state: 'REPLACED', retiredAt: new Date(), retiredBy: registrationNumber })
            .where(and(eq(accounts.userId, userId), eq(accounts.state, 'ACTIVE')));
          await transaction
            .insert(accounts)
            .values({ registrationNumber, userId, accountId: createAccountId(), state: 'ACTIVE' });
        }
        const [replaced] = await transaction
          .select({ registrationNumber: accounts.registrationNumber })
          .from(accounts)
          .where(and(eq(accounts.retiredBy, registrationNumber), eq(accounts.state, 'REPLACED')));
        const hasNotification = await queueNotification(transaction, registrationNumber);
        return { replaced: replaced?.registrationNumber ?? null, hasNotification };
      });
    },
  };
}
