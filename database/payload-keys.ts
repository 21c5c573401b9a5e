import { inArray } from 'drizzle-orm';
import { KeyRing } from '../encryption/key-ring.ts';
import { ConfigurationError } from '../runtime/config.ts';
import type { Queries } from './database.ts';
import { payloadKeys } from './schema.ts';

/** The payload keys that processes have used. */
export function createPayloadKeys(queries: Queries) {
  return {
    /**
     * Remembers the payload keys by fingerprint, and refuses a key whose ID belonged to another key before: what that one
     * encrypted could not be read. To be called in a transaction.
     * @param keys `id:base64` of 32 bytes each, separated by commas
     * @returns the IDs of those that were not known before
     * @throws {ConfigurationError}
     */
    async requireSame(keys: string): Promise<string[]> {
      const ring = new KeyRing(keys);
      const fingerprints = ring.hash('', 'payload-key-fingerprint');
      const given = ring.keyIds.map((payloadKeyId, index) => ({
        payloadKeyId,
        fingerprint: fingerprints[index]!,
      }));
      const added = await queries.insert(payloadKeys).values(given).onConflictDoNothing().returning();
      const known = await queries
        .select()
        .from(payloadKeys)
        .where(inArray(payloadKeys.payloadKeyId, [...ring.keyIds]));
      const changed = known.filter(({ fingerprint }) => !fingerprints.includes(fingerprint));
      if (changed.length === 0) return added.map(({ payloadKeyId }) => payloadKeyId);
      const names = changed.map(({ payloadKeyId }) => payloadKeyId).join(', ');
      throw new ConfigurationError(
        `PAYLOAD_KEYS: not the same key as before under the ID ${names}. Put the earlier key back, and give a new key a new ID.`,
      );
    },
  };
}
