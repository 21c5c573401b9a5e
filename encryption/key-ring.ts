import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

const nonceBytes = 12;
const tagBytes = 16;

/** Something was sealed by a key that is not, or no longer, among those given. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError';

  constructor(keyId: string) {
    super(`There is no key with the ID ${keyId}: put it back behind the others, it is still needed.`);
  }
}

/**
 * AES-256-GCM keys by key ID. The first seals; all of them open, so a key rotates by putting a new one in front and
 * keeping the old one until nothing sealed by it is left.
 */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, Buffer>;
  /** The ID of the key that seals. */
  readonly activeKeyId: string;

  /** @param keys `id:base64` of 32 bytes each, separated by commas. Throws on any other form, and on an ID given twice. */
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
      throw new Error('Two keys have the same ID: give each new key an ID that none had before.');
    }
    this.activeKeyId = [...this.#keys.keys()][0]!;
  }

  /** The IDs of all keys, the active one first. */
  get keyIds(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** Seals under the active key. `context` must be given again to open, so a sealed value cannot be moved. */
  seal(plain: Uint8Array, context: string): Buffer {
    return sealWith(this.#keys.get(this.activeKeyId)!, plain, context);
  }

  /**
   * Opens what {@link seal} made under the key `keyId`. Throws when the value or the context differ.
   * @throws {MissingKeyError}
   */
  open(keyId: string, sealed: Uint8Array, context: string): Buffer {
    const key = this.#keys.get(keyId);
    if (!key) throw new MissingKeyError(keyId);
    return openWith(key, sealed, context);
  }

  /**
   * Keyed hashes of a value, in base64url, to find the same value again without being able to read it: one under each
   * key, that of the active key first. `context` keeps the same value apart in different places.
   */
  hash(value: string, context: string): [string, ...string[]] {
    const hashes = [...this.#keys.values()].map((key) =>
      createHmac('sha256', key).update(`${context}/${value}`).digest('base64url'),
    );
    return hashes as [string, ...string[]];
  }
}

/** Seals bytes by AES-256-GCM: 12 bytes nonce, ciphertext, 16 bytes tag. */
export function sealWith(key: Uint8Array, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what {@link sealWith} made. Throws when the key, the value or the context differ. */
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
