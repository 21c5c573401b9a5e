import { CompactEncrypt, compactDecrypt, importPKCS8, importSPKI } from 'jose';
import { once } from './once.ts';

/** The encryption keys of a project. */
export interface EncryptionKeys {
  /** The value of X-KM-Crypto-Key-Id; 32 characters. */
  readonly cryptoKeyId: string;
  /** RSA-2048, SPKI PEM. Encrypts requests. */
  readonly serverPublicKey: string;
  /** RSA-2048, PKCS#8 PEM. Decrypts answers and result notifications. */
  readonly clientPrivateKey: string;
}

const keyAlgorithm = 'RSA-OAEP-256';

/**
 * Creates a function that encrypts text for a public key (SPKI PEM) into a compact JWE.
 * That function throws a TypeError when the key cannot be read.
 */
export function createEncrypt(publicKey: string): (content: string) => Promise<string> {
  const key = once(() => importSPKI(publicKey, keyAlgorithm));
  return async (content) =>
    await new CompactEncrypt(new TextEncoder().encode(content))
      .setProtectedHeader({ alg: keyAlgorithm, enc: 'A128GCM' })
      .encrypt(await key());
}

/**
 * Creates a function that decrypts a compact JWE with a private key (PKCS#8 PEM).
 * That function throws when the key cannot be read, or the JWE was not encrypted for it under RSA-OAEP-256 with A128GCM
 * or A256GCM, uncompressed.
 */
export function createDecrypt(privateKey: string): (jwe: string) => Promise<string> {
  const key = once(() => importPKCS8(privateKey, keyAlgorithm));
  return async (jwe) => {
    const { plaintext } = await compactDecrypt(jwe, await key(), {
      keyManagementAlgorithms: [keyAlgorithm],
      contentEncryptionAlgorithms: ['A128GCM', 'A256GCM'],
      maxDecompressedLength: 0,
    });
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
  };
}
