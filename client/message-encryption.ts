import { CompactEncrypt, compactDecrypt, importPKCS8, importSPKI } from 'jose';
import { once } from './once.ts';

/** The keys of a project that encrypts. */
export interface EncryptionKeys {
  /** What X-KM-Crypto-Key-Id says; 32 characters. */
  readonly cryptoKeyId: string;
  /** RSA-2048, SPKI PEM: requests are encrypted for it. */
  readonly serverPublicKey: string;
  /** RSA-2048, PKCS#8 PEM: encrypted answers and callbacks are opened with it. */
  readonly clientPrivateKey: string;
}

const keyAlgorithm = 'RSA-OAEP-256';

/**
 * Makes what encrypts for a public key (SPKI PEM): text in, JWE in compact serialization out.
 * It throws a TypeError when the key cannot be read.
 */
export function createEncrypt(publicKey: string): (content: string) => Promise<string> {
  const key = once(() => importSPKI(publicKey, keyAlgorithm));
  return async (content) =>
    await new CompactEncrypt(new TextEncoder().encode(content))
      .setProtectedHeader({ alg: keyAlgorithm, enc: 'A128GCM' })
      .encrypt(await key());
}

/**
 * Makes what opens a JWE in compact serialization with a private key (PKCS#8 PEM).
 * It throws when the key cannot be read, or the JWE is not for that key under RSA-OAEP-256 with A128GCM or A256GCM.
 */
export function createDecrypt(privateKey: string): (jwe: string) => Promise<string> {
  const key = once(() => importPKCS8(privateKey, keyAlgorithm));
  return async (jwe) => {
    const { plaintext } = await compactDecrypt(jwe, await key(), {
      keyManagementAlgorithms: [keyAlgorithm],
      contentEncryptionAlgorithms: ['A128GCM', 'A256GCM'],
    });
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
  };
}
