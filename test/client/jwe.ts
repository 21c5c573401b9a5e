import {
  constants,
  createCipheriv,
  createDecipheriv,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';

const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };

/** Encrypts with node:crypto, to check the client's jose against another implementation. */
export function sealJwe(content: string, publicKey: string): string {
  const header = encode(JSON.stringify({ alg: 'RSA-OAEP-256', enc: 'A128GCM' }));
  const contentKey = randomBytes(16);
  const vector = randomBytes(12);
  const cipher = createCipheriv('aes-128-gcm', contentKey, vector).setAAD(Buffer.from(header));
  const ciphertext = Buffer.concat([cipher.update(content, 'utf8'), cipher.final()]);
  const wrapped = publicEncrypt({ key: publicKey, ...padding }, contentKey);
  return [header, ...[wrapped, vector, ciphertext, cipher.getAuthTag()].map(encode)].join('.');
}

/** @throws {Error} when it is not a JWE under RSA-OAEP-256 with A128GCM for the key */
export function openJwe(jwe: string, privateKey: string): string {
  const [header = '', ...parts] = jwe.split('.');
  const { alg, enc }: Record<string, unknown> = JSON.parse(Buffer.from(header, 'base64url').toString());
  if (alg !== 'RSA-OAEP-256' || enc !== 'A128GCM')
    throw new Error('The algorithms are not those documented.');
  const [wrapped, vector, ciphertext, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
  const contentKey = privateDecrypt({ key: privateKey, ...padding }, wrapped!);
  const cipher = createDecipheriv('aes-128-gcm', contentKey, vector!)
    .setAAD(Buffer.from(header))
    .setAuthTag(tag!);
  return Buffer.concat([cipher.update(ciphertext!), cipher.final()]).toString();
}

function encode(bytes: string | Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
