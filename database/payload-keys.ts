import { inArray } from 'drizzle-orm';
import { KeyRing } from '../encryption/key-ring.ts';
import { ConfigurationError } from '../runtime/config.ts';
import type { Queries } from './database.ts';
import { payloadKeys } from './schema.ts';

/** The payload keys that processes have used. */
export function createPayloadKeys(queries: Queries) {
  return {
    /**
     * Remembers the payload keys by fingerprint, and refuses what {@link requireUnchangedPayloadKeys} does. To be called in a
     * transaction.
     * @param keys `id:base64` of 32 bytes each, separated by commas
     * @returns the IDs of those that were not known before
     * @throws {ConfigurationError}
     */
    async requireSame(keys: string): Promise<string[]> {
      const given = fingerprintsOf(keys);
      const added = await queries.insert(payloadKeys).values(given).onConflictDoNothing().returning();
      await requireUnchangedPayloadKeys(queries, keys);
      return added.map(({ payloadKeyId }) => payloadKeyId);
    },
  };
}

/**
 * Refuses a payload key whose ID belonged to another key before: what that one encrypted could not be read.
 * @throws {ConfigurationError}
 */
export async function requireUnchangedPayloadKeys(queries: Queries, keys: string): Promise<void> {
  const given = new Map(
    fingerprintsOf(keys).map(({ payloadKeyId, fingerprint }) => [payloadKeyId, fingerprint]),
  );
  const known = await queries
    .select()
    .from(payloadKeys)
    .where(inArray(payloadKeys.payloadKeyId, [...given.keys()]));
  const changed = known.filter(({ payloadKeyId, fingerprint }) => given.get(payloadKeyId) !== fingerprint);
  if (changed.length === 0) return;
  const names = changed.map(({ payloadKeyId }) => payloadKeyId).join(', ');
  throw new ConfigurationError(
    `PAYLOAD_KEYS: not the same key as before under the ID ${names}. Put the earlier key back, and give a new key a new ID.`,
  );
}

function fingerprintsOf(keys: string) {
  const ring = new KeyRing(keys);
  const fingerprints = ring.hash('', 'payload-key-fingerprint');
  return ring.keyIds.map((payloadKeyId, index) => ({ payloadKeyId, fingerprint: fingerprints[index]! }));
}
