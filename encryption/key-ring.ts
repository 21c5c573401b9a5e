import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

const nonceBytes = 12;
const tagBytes = 16;

/** A value was sealed with a key that is not configured, or no longer. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError';

  /** The ID of the key that is missing. */
  readonly keyId: string;

  constructor(keyId: string) {
    super(`There is no key with the ID ${keyId}: put it back behind the others, it is still needed.`);
    this.keyId = keyId;
  }
}

/**
 * AES-256-GCM keys by key ID. The first one seals, all of them open. To rotate, put a new key in front and keep the old
 * one until nothing is sealed with it any more.
 */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, Buffer>;
  /** The ID of the key that seals. */
  readonly activeKeyId: string;

  /**
   * @param keys `id:base64` of 32 bytes each, separated by commas
   * @throws {Error} for any other form, and for duplicate IDs
   */
  constructor(keys: string) {
    const entries = keys.split(',').map((entry) => {
      const [id = '', encoded = ''] = entry.trim().split(':');
      const key = Buffer.from(encoded, 'base64');
      if (!/^[\w-]{1,32}$/.test(id) || key.length !== 32) {
        throw new Error('Keys must be given as id:base64 of 32 bytes each, separated by commas.');
      }
      return [id, key] as const;
    });
    this.#keys = new Map(entries);
    if (this.#keys.size < entries.length) {
      throw new Error('Two keys have the same ID: give each new key an ID that was never used before.');
    }
    this.activeKeyId = [...this.#keys.keys()][0]!;
  }

  /** The IDs of all keys, the active one first. */
  get keyIds(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /**
   * Seals with the active key.
   * @param context authenticated with the value: opening needs the same one, so a sealed value cannot be moved
   */
  seal(plain: Uint8Array, context: string): Buffer {
    return sealWith(this.#keys.get(this.activeKeyId)!, plain, context);
  }

  /**
   * Opens what {@link seal} has sealed with the key `keyId`.
   * @throws {MissingKeyError} if there is no such key
   * @throws {Error} if the value or the context differ
   */
  open(keyId: string, sealed: Uint8Array, context: string): Buffer {
    const key = this.#keys.get(keyId);
    if (!key) throw new MissingKeyError(keyId);
    return openWith(key, sealed, context);
  }

  /**
   * Keyed hashes (HMAC-SHA256, base64url) of a value, to find equal values without reading them: one per key, the
   * active key's first.
   * @param context equal values have different hashes in different contexts
   */
  hash(value: string, context: string): [string, ...string[]] {
    const hashes = [...this.#keys.values()].map((key) =>
      createHmac('sha256', key).update(`${context}/${value}`).digest('base64url'),
    );
    return hashes as [string, ...string[]];
  }
}

/** Seals with AES-256-GCM. @returns nonce (12 bytes), ciphertext, tag (16 bytes) */
export function sealWith(key: Uint8Array, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what {@link sealWith} has sealed. @throws {Error} if the key, the value or the context differ */
export function openWith(key: Uint8Array, sealed: Uint8Array, context: string): Buffer {
  const nonce = sealed.subarray(0, nonceBytes);
  const tag = sealed.subarray(sealed.length - tagBytes);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
    .setAAD(Buffer.from(context))
    .setAuthTag(tag);
  return Buffer.concat([
    decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes)),
    decipher.final(),
  ]);
}
