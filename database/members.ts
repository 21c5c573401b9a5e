import { and, asc, desc, eq, gt, inArray, isNull, ne, or } from 'drizzle-orm';
import type { KeyRing } from '../encryption/key-ring.ts';
import { isSameName } from '../wire/names.ts';
import type { SQL } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { evidenceColumns } from './consent-evidence.ts';
import { recordColumns } from './locked-registration.ts';
import { createDataKey, openMemberCipher } from './member-cipher.ts';
import type { MemberCipher, Owner } from './member-cipher.ts';
import type { OperatorDecision } from './legal-holds.ts';
import { milestonesOf, milestonesOfAccount } from './milestones.ts';
import { PersonalDataErased } from './personal-data-erased.ts';
import { lockWithRetention } from './registration-alteration.ts';
import { AlteredRow } from './row-seals.ts';
import type { RowSealer, RowSeals } from './row-seals.ts';
import { keptUntil } from './retention.ts';
import {
  accountChecks,
  accounts,
  arsCalls,
  arsCodes,
  consentEvidence,
  legalHolds,
  memberKeys,
  members,
  registrations,
  rememberedRequests,
} from './schema.ts';

/** What is known of a member, for comparison and for the ARS call. */
export interface MemberFacts {
  readonly userName: string;
  /** `yyyyMMdd`. */
  readonly birthDate: string;
  /** 10 to 20 characters. */
  readonly mobileNumber: string;
}

/** A member with the cipher for everything that is stored of the member. */
export interface Member extends Owner {
  readonly facts: MemberFacts;
  readonly cipher: MemberCipher;
}

/** Whether a person is the member, by name and birth date. */
export function isMember({ facts }: Member, userName: string, birthDate: string): boolean {
  return isSameName(facts.userName, userName) && facts.birthDate === birthDate;
}

/** A member, present or erased. */
export interface KnownMember extends Owner {
  readonly isErased: boolean;
}

/** The result of an erasure. Only ERASED has changed the member. */
export type Erasure =
  | { readonly state: 'ERASED' }
  | { readonly state: 'NOT_FOUND' | 'BEING_REGISTERED' }
  | { readonly state: 'HAS_ACCOUNT' | 'AWAITS_REMOVAL' | 'HELD'; readonly registrationNumber: string }
  /** `until`: null where a registration with evidence never ended. */
  | { readonly state: 'TO_BE_KEPT'; readonly until: Date | null };

const rowsPerQuery = 500;
/** How many members are verified at once, with all their registrations. */
const membersPerPage = 100;

/** A member's row with its data key; without one, the member is erased. */
export interface StoredMember {
  readonly member: typeof members.$inferSelect;
  readonly key: typeof memberKeys.$inferSelect | null;
}

const factsContext = 'facts';

/**
 * Opens a member for whoever claims it. What the rows say about their owner is not believed: anybody who can write to the
 * database can change that.
 * @throws {PersonalDataErased}
 */
export function openMember(keys: KeyRing, { member, key }: StoredMember, { aspId, userId }: Owner): Member {
  const cipher = openCipher(keys, key, { aspId, userId });
  if (!member.sealedFacts) throw erased(userId);
  const facts = cipher.openJson<MemberFacts>(member.sealedFacts, factsContext);
  return { aspId, userId, facts, cipher };
}

function openCipher(keys: KeyRing, key: StoredMember['key'], { aspId, userId }: Owner): MemberCipher {
  if (!key) throw erased(userId);
  return openMemberCipher(keys, { ...key, aspId, userId });
}

function erased(userId: string): PersonalDataErased {
  return new PersonalDataErased(`Member ${userId} is erased.`);
}

/** The members of all service providers. */
export function createMembers(queries: Queries, keys: KeyRing, rowSeals: RowSeals) {
  function problemOf(sealer: RowSealer, row: StoredMember, stored: number): string | undefined {
    const { member, key } = row;
    if (!sealer.isAuthentic('members', member)) return 'it was altered';
    if (stored !== member.milestones)
      return `its registrations and accounts have passed ${member.milestones} milestones, but ${stored} are stored: a row is gone, or an older one was put back`;
    if (member.erasedAt) return key || member.sealedFacts ? 'it was erased, but not its data' : undefined;
    if (key && key.aspId !== member.aspId) return 'its key is said to be of another service provider';
    try {
      openMember(keys, row, member);
      return undefined;
    } catch (error) {
      return `its key or data does not open (${error instanceof Error ? error.message : String(error)})`;
    }
  }

  async function readStored(which: SQL | undefined): Promise<StoredMember[]> {
    return await queries
      .select({ member: members, key: memberKeys })
      .from(members)
      .leftJoin(memberKeys, eq(memberKeys.userId, members.userId))
      .where(which)
      .orderBy(asc(members.userId))
      .limit(membersPerPage);
  }

  async function problemsOf(
    sealer: RowSealer,
    stored: readonly StoredMember[],
  ): Promise<ReadonlyMap<string, string>> {
    const userIds = stored.map(({ member }) => member.userId);
    const milestones = new Map<string, number>();
    const count = (userId: string, passed: number) =>
      milestones.set(userId, (milestones.get(userId) ?? 0) + passed);
    // SQL would count whatever somebody has put there instead.
    const ofThem = inArray(registrations.userId, userIds);
    for (const row of await queries.select(recordColumns).from(registrations).where(ofThem))
      if (sealer.isAuthentic('registrations', row)) count(row.userId, milestonesOf(row));
    for (const row of await queries.select().from(accounts).where(inArray(accounts.userId, userIds)))
      if (sealer.isAuthentic('accounts', row)) count(row.userId, milestonesOfAccount(row));
    const problems = new Map<string, string>();
    for (const row of stored) {
      const { userId } = row.member;
      const problem = problemOf(sealer, row, milestones.get(userId) ?? 0);
      if (problem !== undefined) problems.set(userId, problem);
    }
    return problems;
  }

  /** Whoever has the keys of the database could otherwise confirm a guess: of a phone number, an account or a recording. */
  async function eraseHashes(transaction: Queries, sealer: RowSealer, userId: string): Promise<void> {
    const numbers = transaction
      .select({ registrationNumber: registrations.registrationNumber })
      .from(registrations)
      .where(eq(registrations.userId, userId));
    await transaction.delete(arsCalls).where(eq(arsCalls.userId, userId));
    await transaction.delete(accountChecks).where(eq(accountChecks.userId, userId));
    const ofKeys = isNull(rememberedRequests.cryptoKeyId);
    await transaction
      .delete(rememberedRequests)
      .where(and(ofKeys, inArray(rememberedRequests.registrationNumber, numbers)));
    for (const evidence of await transaction
      .select(evidenceColumns)
      .from(consentEvidence)
      .where(inArray(consentEvidence.registrationNumber, numbers))) {
      const emptied = { ...sealer.authentic('consentEvidence', evidence), sha256: null };
      await transaction
        .update(consentEvidence)
        .set({ sealedRecording: null, sha256: null, seal: sealer.seal('consentEvidence', emptied) })
        .where(eq(consentEvidence.registrationNumber, evidence.registrationNumber));
    }
  }

  return {
    /** The member, if the service provider has one of this ID who is not erased. @throws {AlteredRow} */
    async find(aspId: string, userId: string): Promise<Member | undefined> {
      const [row] = await queries
        .select({ member: members, key: memberKeys })
        .from(members)
        .leftJoin(memberKeys, eq(memberKeys.userId, members.userId))
        .where(and(eq(members.userId, userId), eq(members.aspId, aspId), isNull(members.erasedAt)));
      if (!row) return undefined;
      (await rowSeals.open()).authentic('members', row.member);
      return openMember(keys, row, { aspId, userId });
    },

    /** Opens a member's cipher alone, for whoever claims it. @throws {PersonalDataErased} */
    openCipher: (key: StoredMember['key'], owner: Owner): MemberCipher => openCipher(keys, key, owner),

    /** Those of these members who already exist or have been erased, by member ID. */
    async findKnown(userIds: readonly string[]): Promise<ReadonlyMap<string, KnownMember>> {
      const known = new Map<string, KnownMember>();
      for (let start = 0; start < userIds.length; start += rowsPerQuery) {
        const rows = await queries
          .select({ userId: members.userId, aspId: members.aspId, erasedAt: members.erasedAt })
          .from(members)
          .where(inArray(members.userId, userIds.slice(start, start + rowsPerQuery)));
        for (const { erasedAt, ...row } of rows)
          known.set(row.userId, { ...row, isErased: erasedAt !== null });
      }
      return known;
    },

    /** The problems of members and their keys, by member ID, without personal data. Reads some at a time. */
    async *findProblems(sealer: RowSealer): AsyncGenerator<readonly [userId: string, problem: string]> {
      for (let last: string | undefined; ;) {
        const page = await readStored(last === undefined ? undefined : gt(members.userId, last));
        const doubtful = await problemsOf(sealer, page);
        // What was committed between two statements of the first look is no alteration.
        const again = await readStored(inArray(members.userId, [...doubtful.keys()]));
        yield* await problemsOf(sealer, again);
        if (page.length < membersPerPage) return;
        last = page.at(-1)!.member.userId;
      }
    },

    /** Adds members. Existing ones stay unchanged. */
    async add(
      aspId: string,
      newMembers: readonly (MemberFacts & { readonly userId: string })[],
    ): Promise<void> {
      const sealer = await rowSeals.open();
      for (let start = 0; start < newMembers.length; start += rowsPerQuery) {
        const rows = newMembers.slice(start, start + rowsPerQuery).map(({ userId, ...facts }) => {
          const key = createDataKey(keys, { aspId, userId });
          const sealedFacts = openMemberCipher(keys, key).sealJson(facts, factsContext);
          const counts = { notificationSequence: 0, milestones: 0 };
          const row = { aspId, userId, ...counts, erasedAt: null, erasedBy: null, erasureReason: null };
          return { key, member: { ...row, sealedFacts, seal: sealer.seal('members', row) } };
        });
        await queries.transaction(async (transaction) => {
          const added = await transaction
            .insert(members)
            .values(rows.map(({ member }) => member))
            .onConflictDoNothing()
            .returning({ userId: members.userId });
          const addedIds = new Set(added.map(({ userId }) => userId));
          const newKeys = rows.map(({ key }) => key).filter(({ userId }) => addedIds.has(userId));
          if (newKeys.length > 0) await transaction.insert(memberKeys).values(newKeys);
        });
      }
    },

    /**
     * Destroys a member's data key, so that nothing sealed by it opens ever again, everything sealed by it, and hashes. The rows stay,
     * for the numbers of the member's registrations; the key stays in the files of the database until they are rewritten.
     * `beforeRetentionEnds`: even if evidence of the member is still to be kept by law.
     * @throws {AlteredRow} when somebody has altered what decides whether evidence is to be kept
     */
    async erase(
      aspId: string,
      userId: string,
      { operator, reason, beforeRetentionEnds }: OperatorDecision & { readonly beforeRetentionEnds: boolean },
    ): Promise<Erasure> {
      return await queries.transaction(async (transaction) => {
        const now = new Date();
        const sealer = await rowSeals.open(transaction);
        const ofMember = eq(registrations.userId, userId);
        // Whoever locks a registration and its member locks the registration first.
        const locked = await lockWithRetention(transaction, sealer, ofMember);
        const [member] = await transaction
          .select()
          .from(members)
          .where(and(eq(members.userId, userId), eq(members.aspId, aspId), isNull(members.erasedAt)))
          // From here on no registration of the member can be inserted, and none put under legal hold.
          .for('update');
        if (!member) return { state: 'NOT_FOUND' };
        sealer.authentic('members', member);
        const altered = locked.find(({ alteration }) => alteration !== undefined);
        if (altered)
          throw new AlteredRow(`${altered.registration.registrationNumber}: ${altered.alteration}`);

        const open = and(ofMember, isNull(registrations.endedAt));
        if ((await transaction.$count(registrations, open)) > 0) return { state: 'BEING_REGISTERED' };

        const [account] = await transaction
          .select()
          .from(accounts)
          .where(and(eq(accounts.userId, userId), ne(accounts.state, 'REMOVED')))
          .limit(1);
        if (account) {
          const state = account.state === 'ACTIVE' ? 'HAS_ACCOUNT' : 'AWAITS_REMOVAL';
          return { state, registrationNumber: account.registrationNumber };
        }

        const [hold] = await transaction
          .select({ registrationNumber: legalHolds.registrationNumber })
          .from(legalHolds)
          .innerJoin(registrations, eq(registrations.registrationNumber, legalHolds.registrationNumber))
          .where(and(ofMember, isNull(legalHolds.releasedAt)))
          .limit(1);
        if (hold) return { state: 'HELD', ...hold };

        const [latest] = await transaction
          .select({ until: keptUntil })
          .from(registrations)
          .innerJoin(
            consentEvidence,
            eq(consentEvidence.registrationNumber, registrations.registrationNumber),
          )
          .where(and(ofMember, or(isNull(keptUntil), gt(keptUntil, now))))
          // PostgreSQL has nulls first in this order.
          .orderBy(desc(keptUntil))
          .limit(1);
        if (latest && !beforeRetentionEnds) return { state: 'TO_BE_KEPT', until: latest.until };

        await transaction.delete(arsCodes).where(eq(arsCodes.userId, userId));
        await transaction.delete(memberKeys).where(eq(memberKeys.userId, userId));
        await eraseHashes(transaction, sealer, userId);
        await transaction.update(registrations).set({ sealedDetails: null }).where(ofMember);
        const erasure = { erasedAt: now, erasedBy: operator, erasureReason: reason };
        await transaction
          .update(members)
          .set({ ...erasure, sealedFacts: null, seal: sealer.seal('members', { ...member, ...erasure }) })
          .where(eq(members.userId, userId));
        return { state: 'ERASED' };
      });
    },
  };
}
