import type { KeyObject } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';

const keyAlgorithm = 'RSA-OAEP-256';

/**
 * Decrypts a JWE in compact serialization with an RSA private key. Parse the key once: parsing takes longer than
 * decrypting.
 * Throws when it is not a JWE for that key under RSA-OAEP-256 with A128GCM or A256GCM, or when it is compressed: a small
 * body could then hold more than the body limit.
 */
export async function decryptMessage(jwe: string, privateKey: KeyObject): Promise<Uint8Array> {
  const { plaintext } = await compactDecrypt(jwe, privateKey, {
    keyManagementAlgorithms: [keyAlgorithm],
    contentEncryptionAlgorithms: ['A128GCM', 'A256GCM'],
    maxDecompressedLength: 0,
  });
  return plaintext;
}

/** Encrypts for the owner of an RSA public key. @returns a JWE in compact serialization */
export async function encryptMessage(content: Uint8Array, publicKey: KeyObject): Promise<string> {
  return await new CompactEncrypt(content)
    .setProtectedHeader({ alg: keyAlgorithm, enc: 'A128GCM' })
    .encrypt(publicKey);
}
