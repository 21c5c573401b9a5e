import { createHash } from 'node:crypto';
import { lt } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { acceptedCiphertexts } from './schema.ts';

/**
 * The ciphertexts accepted within the time window. Honest clients never repeat one, because encryption is randomised.
 */
export function createAcceptedCiphertexts(queries: Queries) {
  return {
    /** Accepts a ciphertext once: false when it was accepted before. `expiresAt`: when its hash may be deleted. */
    async accept(aspId: string, ciphertext: string, expiresAt: Date): Promise<boolean> {
      const sha256 = createHash('sha256').update(ciphertext).digest('hex');
      const inserted = await queries
        .insert(acceptedCiphertexts)
        .values({ aspId, sha256, expiresAt })
        .onConflictDoNothing()
        .returning({ sha256: acceptedCiphertexts.sha256 });
      return inserted.length > 0;
    },

    /** Deletes the expired ones. */
    async forgetExpired(): Promise<void> {
      await queries.delete(acceptedCiphertexts).where(lt(acceptedCiphertexts.expiresAt, new Date()));
    },
  };
}
