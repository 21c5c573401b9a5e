import { CompactEncrypt, compactDecrypt, importPKCS8, importSPKI } from 'jose';

const keyAlgorithm = 'RSA-OAEP-256';

/**
 * Opens a JWE in compact serialization with an RSA private key in PKCS#8 PEM.
 * Throws when it is not a JWE for that key under RSA-OAEP-256 with A128GCM or A256GCM.
 */
export async function decryptMessage(jwe: string, privateKey: string): Promise<Uint8Array> {
  const { plaintext } = await compactDecrypt(jwe, await importPKCS8(privateKey, keyAlgorithm), {
    keyManagementAlgorithms: [keyAlgorithm],
    contentEncryptionAlgorithms: ['A128GCM', 'A256GCM'],
  });
  return plaintext;
}

/** Makes a JWE in compact serialization for an RSA public key in SPKI PEM. */
export async function encryptMessage(content: Uint8Array, publicKey: string): Promise<string> {
  return await new CompactEncrypt(content)
    .setProtectedHeader({ alg: keyAlgorithm, enc: 'A128GCM' })
    .encrypt(await importSPKI(publicKey, keyAlgorithm));
}
