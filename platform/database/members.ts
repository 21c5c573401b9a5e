import { and, eq, inArray } from 'drizzle-orm';
import type { KeyRing } from '../key-ring.ts';
import type { Queries } from './database.ts';
import { createDataKey, openMemberCipher } from './member-cipher.ts';
import type { MemberCipher } from './member-cipher.ts';
import { members } from './schema.ts';

/** What is known of a member, for comparison and for the ARS call. */
export interface MemberFacts {
  readonly userName: string;
  /** `yyyyMMdd`. */
  readonly birthDate: string;
  /** 10 to 20 characters. */
  readonly mobileNumber: string;
}

/** A member with the cipher for everything that is stored of the member. */
export interface Member {
  readonly userId: string;
  readonly aspId: string;
  readonly facts: MemberFacts;
  readonly cipher: MemberCipher;
}

/** Whether a person is the member, by name and birth date. */
export function isMember({ facts }: Member, userName: string, birthDate: string): boolean {
  return facts.userName === userName && facts.birthDate === birthDate;
}

const rowsPerQuery = 500;

/** Opens a member's row. */
export function openMember(keys: KeyRing, row: typeof members.$inferSelect): Member {
  const { userId, aspId } = row;
  const cipher = openMemberCipher(keys, row);
  return {
    userId,
    aspId,
    facts: cipher.openJson<MemberFacts>(row.sealedFacts, factsContext(userId)),
    cipher,
  };
}

function factsContext(userId: string): string {
  return `members/${userId}/facts`;
}

/** The members of all service providers. */
export function createMembers(queries: Queries, keys: KeyRing) {
  return {
    /** The member, if the service provider has one of this ID. */
    async find(aspId: string, userId: string): Promise<Member | undefined> {
      const [row] = await queries
        .select()
        .from(members)
        .where(and(eq(members.userId, userId), eq(members.aspId, aspId)));
      return row && openMember(keys, row);
    },

    /** The service provider of each of these members who is there already, by member ID. */
    async providersOf(userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
      const providers = new Map<string, string>();
      for (let start = 0; start < userIds.length; start += rowsPerQuery) {
        const rows = await queries
          .select({ userId: members.userId, aspId: members.aspId })
          .from(members)
          .where(inArray(members.userId, userIds.slice(start, start + rowsPerQuery)));
        for (const { userId, aspId } of rows) providers.set(userId, aspId);
      }
      return providers;
    },

    /** Adds members; one who is there already stays as is. */
    async add(
      aspId: string,
      newMembers: readonly (MemberFacts & { readonly userId: string })[],
    ): Promise<void> {
      const rows = newMembers.map(({ userId, ...facts }) => {
        const dataKey = createDataKey(keys, userId);
        return {
          ...dataKey,
          aspId,
          sealedFacts: openMemberCipher(keys, dataKey).sealJson(facts, factsContext(userId)),
        };
      });
      for (let start = 0; start < rows.length; start += rowsPerQuery) {
        await queries
          .insert(members)
          .values(rows.slice(start, start + rowsPerQuery))
          .onConflictDoNothing();
      }
    },
  };
}
