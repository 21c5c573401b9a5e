import { createHash } from 'node:crypto';
import { and, eq, inArray, isNotNull, isNull, notExists, or, sql } from 'drizzle-orm';
import type { KeyRing } from '../encryption/key-ring.ts';
import type { Queries } from './database.ts';
import { cryptoKeys, registrations, rememberedRequests } from './schema.ts';

/** How long the first answer is given again. */
const answersFor = sql`interval '24 hours'`;
/** How long a ciphertext that had no effect may be repeated. */
const repeatableFor = sql`interval '10 minutes'`;

/** What names a remembered request. */
export interface RequestKey {
  readonly aspId: string;
  /** SHA-256 in hex: of the ciphertext, or of the operation and its Idempotency-Key. */
  readonly digest: string;
}

/** A request that is encrypted or has an Idempotency-Key, as it was first seen. */
export interface RememberedRequest extends RequestKey {
  /** Whether it was not remembered before. */
  readonly isNew: boolean;
  readonly operation: string;
  readonly hasEffect: boolean;
  /** Whether it may be repeated still. */
  readonly isRepeatable: boolean;
  /** Whether it is the same request; a ciphertext always is. */
  readonly isSame: boolean;
}

/** Which rows an Idempotency-Key has outlived. */
const isExpiredKey = sql`${rememberedRequests.cryptoKeyId} is null and ${rememberedRequests.firstSeenAt} < clock_timestamp() - ${answersFor}`;

/**
 * Requests that may arrive repeatedly and have at most one effect: each ciphertext as long as its key lives, each
 * Idempotency-Key for a day. They are bound to the registration that they make or change, so a repeat meets the same one.
 */
export function createRememberedRequests(queries: Queries, keys: KeyRing) {
  const ofKey = ({ aspId, digest }: RequestKey) =>
    and(eq(rememberedRequests.aspId, aspId), eq(rememberedRequests.digest, digest));

  async function remember(
    row: typeof rememberedRequests.$inferInsert,
    contentHashes: readonly string[] = [],
  ): Promise<RememberedRequest> {
    const unlessExpired = (column: typeof rememberedRequests.registrationNumber) =>
      sql`case when ${isExpiredKey} then null else ${column} end`;
    const [seen] = await queries
      .insert(rememberedRequests)
      .values(row)
      .onConflictDoUpdate({
        target: [rememberedRequests.aspId, rememberedRequests.digest],
        set: {
          registrationNumber: unlessExpired(rememberedRequests.registrationNumber),
          effectAt: sql`case when ${isExpiredKey} then null else ${rememberedRequests.effectAt} end`,
          contentHash: sql`case when ${isExpiredKey} then excluded.content_hash else ${rememberedRequests.contentHash} end`,
          firstSeenAt: sql`case when ${isExpiredKey} then clock_timestamp() else ${rememberedRequests.firstSeenAt} end`,
        },
      })
      .returning({
        operation: rememberedRequests.operation,
        contentHash: rememberedRequests.contentHash,
        isNew: sql<boolean>`xmax = 0`,
        hasEffect: sql<boolean>`${rememberedRequests.effectAt} is not null`,
        isRepeatable: sql<boolean>`clock_timestamp() - ${rememberedRequests.firstSeenAt} < case when ${rememberedRequests.effectAt} is null then ${repeatableFor} else ${answersFor} end`,
      });
    const { contentHash, ...request } = seen!;
    const isSame = contentHash === null || contentHashes.includes(contentHash);
    return { aspId: row.aspId, digest: row.digest, ...request, isSame };
  }

  return {
    /** Remembers a ciphertext, or finds it. */
    async rememberCiphertext(
      aspId: string,
      ciphertext: string,
      operation: string,
      cryptoKeyId: string,
    ): Promise<RememberedRequest> {
      return await remember({ aspId, digest: sha256(ciphertext), operation, cryptoKeyId });
    },

    /**
     * Remembers an Idempotency-Key, or finds it.
     * @param content the validated fields. Of them only a keyed hash is stored
     */
    async rememberKey(
      aspId: string,
      idempotencyKey: string,
      operation: string,
      content: object,
    ): Promise<RememberedRequest> {
      const contentHashes = keys.hash(JSON.stringify(content), 'remembered-requests/content');
      const digest = sha256(`${operation}\n${idempotencyKey}`);
      return await remember({ aspId, digest, operation, contentHash: contentHashes[0] }, contentHashes);
    },

    /**
     * Binds a request to a registration, unless it is bound already.
     * @param instead the number that it may be bound to so far, and is not worth keeping
     * @returns the number that it is bound to
     */
    async bind(key: RequestKey, registrationNumber: string, instead?: string): Promise<string> {
      const isFree =
        instead === undefined
          ? isNull(rememberedRequests.registrationNumber)
          : or(
              isNull(rememberedRequests.registrationNumber),
              eq(rememberedRequests.registrationNumber, instead),
            );
      const [bound] = await queries
        .update(rememberedRequests)
        .set({
          registrationNumber: sql`case when ${isFree} then ${registrationNumber} else ${rememberedRequests.registrationNumber} end`,
        })
        .where(ofKey(key))
        .returning({ registrationNumber: rememberedRequests.registrationNumber });
      return bound?.registrationNumber ?? registrationNumber;
    },

    /** Notes that a request had its effect, so that its first answer is given again. */
    async noteEffect(requests: readonly RequestKey[]): Promise<void> {
      if (requests.length === 0) return;
      await queries
        .update(rememberedRequests)
        .set({ effectAt: sql`coalesce(${rememberedRequests.effectAt}, clock_timestamp())` })
        .where(or(...requests.map(ofKey)));
    },

    /**
     * Forgets an Idempotency-Key, so that it can be used for another request.
     * @param onlyIfNothing only where the registration that it is bound to does not exist
     */
    async release(key: RequestKey, { onlyIfNothing }: { readonly onlyIfNothing: boolean }): Promise<void> {
      const made = queries
        .select({ registrationNumber: registrations.registrationNumber })
        .from(registrations)
        .where(
          and(
            eq(registrations.registrationNumber, rememberedRequests.registrationNumber),
            isNull(registrations.withdrawnAt),
          ),
        );
      await queries
        .delete(rememberedRequests)
        .where(
          and(ofKey(key), isNull(rememberedRequests.effectAt), onlyIfNothing ? notExists(made) : undefined),
        );
    },

    /**
     * Deletes Idempotency-Keys of more than a day ago, and ciphertexts whose key is discarded.
     * @returns how many of each
     */
    async deleteExpired(): Promise<{ idempotencyKeys: number; ciphertexts: number }> {
      const usableKeys = queries
        .select({ cryptoKeyId: cryptoKeys.cryptoKeyId })
        .from(cryptoKeys)
        .where(inArray(cryptoKeys.state, ['ACTIVE', 'INACTIVE']));
      const digest = { digest: rememberedRequests.digest };
      const expiredKeys = await queries.delete(rememberedRequests).where(isExpiredKey).returning(digest);
      const dead = await queries
        .delete(rememberedRequests)
        .where(
          and(
            isNotNull(rememberedRequests.cryptoKeyId),
            sql`${rememberedRequests.cryptoKeyId} not in ${usableKeys}`,
          ),
        )
        .returning(digest);
      return { idempotencyKeys: expiredKeys.length, ciphertexts: dead.length };
    },
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
