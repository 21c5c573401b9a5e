import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

/** The keys of a project before they are stored. The encryption keys are PEM. */
export interface ProjectKeys {
  /** 40 characters. */
  readonly accessKey: string;
  readonly secretKey: string;
  /** 32 characters. */
  readonly cryptoKeyId: string;
  readonly serverPublicKey: string;
  readonly serverPrivateKey: string;
}

/** Creates the keys of a new project. */
export async function createProjectKeys(): Promise<ProjectKeys> {
  const server = await createRsaKeyPair();
  return {
    accessKey: randomBytes(20).toString('hex'),
    secretKey: randomBytes(32).toString('base64url'),
    cryptoKeyId: randomBytes(16).toString('hex'),
    serverPublicKey: server.publicKey,
    serverPrivateKey: server.privateKey,
  };
}

/** Creates a pair of RSA keys of 2048 bits, in PEM. */
export function createRsaKeyPair(): Promise<{ publicKey: string; privateKey: string }> {
  return promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}
