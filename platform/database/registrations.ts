import { and, eq, isNull, ne } from 'drizzle-orm';
import type { BankCode } from '../../contract/bank-codes.ts';
import type { FailedStatus } from '../../contract/registration.ts';
import type { ResultCode } from '../../contract/result-codes.ts';
import type { KeyRing } from '../key-ring.ts';
import type { Queries } from './database.ts';
import { openMember } from './members.ts';
import type { Member } from './members.ts';
import { accounts, members, projects, registrations } from './schema.ts';

/** The personal part of a registration. */
export interface RegistrationDetails {
  readonly accountNumber: string;
  readonly bankName: string;
  readonly holderName: string;
  /** `yyyyMMdd`. */
  readonly birthDate: string;
  /** Where the ARS calls. */
  readonly mobileNumber: string;
  /** The code to be keyed in, two digits. */
  readonly authNumber: string;
}

/** A registration about to be written down. */
export interface NewRegistration {
  readonly registrationNumber: string;
  readonly bankCode: BankCode;
  /** The code issued beforehand, or null for one made for this registration only. */
  readonly arsCodeId: string | null;
  readonly details: RegistrationDetails;
}

/** A registration without its personal part. */
export type RegistrationRecord = Omit<typeof registrations.$inferSelect, 'sealedDetails'>;

/** The registrations of all members, and the accounts that came of them. */
export function createRegistrations(queries: Queries, keys: KeyRing) {
  const context = (registrationNumber: string) => `registrations/${registrationNumber}`;

  return {
    /** Writes a registration down. This comes before its run, so that no number without a row is ever handed out. */
    async add({ userId, aspId, cipher }: Member, registration: NewRegistration): Promise<void> {
      const { details, registrationNumber, bankCode, arsCodeId } = registration;
      await queries.insert(registrations).values({
        registrationNumber,
        userId,
        aspId,
        bankCode,
        arsCodeId,
        sealedDetails: cipher.sealJson(details, context(registrationNumber)),
        status: 'ARS_AUTH_IN_PROGRESS',
      });
    },

    /** Takes back a registration whose run was refused. */
    async remove(registrationNumber: string): Promise<void> {
      await queries.delete(registrations).where(eq(registrations.registrationNumber, registrationNumber));
    },

    /** The registration of this number, if the service provider has one. */
    async find(aspId: string, registrationNumber: string): Promise<RegistrationRecord | undefined> {
      const [row] = await queries
        .select()
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

    /** The registration with its personal part, its member and its project's rule. Throws when there is none. */
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
      return {
        ...registration,
        member,
        details: member.cipher.openJson<RegistrationDetails>(sealedDetails, context(registrationNumber)),
        comparesMember: row.projects.comparesMember,
      };
    },

    /** Writes down a failure; the same again is harmless, and what has ended stays as it is. */
    async fail(registrationNumber: string, status: FailedStatus, resultCode: ResultCode): Promise<void> {
      await queries
        .update(registrations)
        .set({ status, resultCode, endedAt: new Date() })
        .where(and(eq(registrations.registrationNumber, registrationNumber), isNull(registrations.endedAt)));
    },

    /**
     * Makes the registered account the member's one active account. In one transaction the account active so far
     * becomes REPLACED, so at every moment exactly one is usable. Repeating it changes nothing and answers the same.
     * @returns the number of the replaced registration that is still to be removed, or null.
     */
    async activate(registrationNumber: string): Promise<string | null> {
      return await queries.transaction(async (transaction) => {
        const [registration] = await transaction
          .update(registrations)
          .set({ status: 'BANK_ACC_REGISTERED', resultCode: '000_000', endedAt: new Date() })
          .where(eq(registrations.registrationNumber, registrationNumber))
          .returning({ userId: registrations.userId });
        if (!registration) throw new Error(`There is no registration ${registrationNumber}.`);
        const { userId } = registration;
        await transaction
          .update(accounts)
          .set({ state: 'REPLACED', replacedAt: new Date(), replacedBy: registrationNumber })
          .where(
            and(
              eq(accounts.userId, userId),
              eq(accounts.state, 'ACTIVE'),
              ne(accounts.registrationNumber, registrationNumber),
            ),
          );
        await transaction
          .insert(accounts)
          .values({ registrationNumber, userId, state: 'ACTIVE' })
          .onConflictDoNothing();
        const [replaced] = await transaction
          .select({ registrationNumber: accounts.registrationNumber })
          .from(accounts)
          .where(and(eq(accounts.replacedBy, registrationNumber), eq(accounts.state, 'REPLACED')));
        return replaced?.registrationNumber ?? null;
      });
    },

    /** Writes down that a replaced account is removed at the payment gateway. */
    async markRemoved(registrationNumber: string): Promise<void> {
      await queries
        .update(accounts)
        .set({ state: 'REMOVED', removedAt: new Date() })
        .where(and(eq(accounts.registrationNumber, registrationNumber), eq(accounts.state, 'REPLACED')));
    },

    /** The member's accounts, for operators and tests. */
    async accountsOf(userId: string) {
      return await queries.select().from(accounts).where(eq(accounts.userId, userId));
    },
  };
}
