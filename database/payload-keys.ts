import { inArray } from 'drizzle-orm';
import { KeyRing } from '../encryption/key-ring.ts';
import { ConfigurationError } from '../runtime/config.ts';
import type { Queries } from './database.ts';
import { payloadKeys } from './schema.ts';

/**
 * Remembers the payload keys by fingerprint, and refuses a key whose ID belonged to another key before: what that one
 * encrypted could not be read.
 * @param keys `id:base64` of 32 bytes each, separated by commas
 * @throws {ConfigurationError}
 */
export async function requireSamePayloadKeys(queries: Queries, keys: string): Promise<void> {
  const ring = new KeyRing(keys);
  const fingerprints = ring.hash('', 'payload-key-fingerprint');
  const given = ring.keyIds.map((payloadKeyId, index) => ({
    payloadKeyId,
    fingerprint: fingerprints[index]!,
  }));
  await queries.transaction(async (transaction) => {
    await transaction.insert(payloadKeys).values(given).onConflictDoNothing();
    const known = await transaction
      .select()
      .from(payloadKeys)
      .where(inArray(payloadKeys.payloadKeyId, [...ring.keyIds]));
    const changed = known.filter(({ fingerprint }) => !fingerprints.includes(fingerprint));
    if (changed.length === 0) return;
    const names = changed.map(({ payloadKeyId }) => payloadKeyId).join(', ');
    throw new ConfigurationError(
      `PAYLOAD_KEYS: not the same key as before under the ID ${names}. Put the earlier key back, and give a new key a new ID.`,
    );
  });
}
