import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createKmClient } from '../../client/index.ts';
import type { KmClient, KmClientOptions } from '../../client/index.ts';

function createKeyPair(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** A service provider's project, with both sides of its keys. */
export const project = {
  aspId: 'TESTASP00000001',
  accessKey: 'a'.repeat(40),
  secretKey: 'sandbox-secret',
  cryptoKeyId: 'c'.repeat(32),
  server: createKeyPair(),
  client: createKeyPair(),
};

/** The project's keys as a client is given them. */
export const encryption = {
  cryptoKeyId: project.cryptoKeyId,
  serverPublicKey: project.server.publicKey,
  clientPrivateKey: project.client.privateKey,
};

/** A client of the project. It sends unencrypted bodies by default. */
export function createProjectClient(baseUrl: string, options: Partial<KmClientOptions> = {}): KmClient {
  const { aspId, accessKey, secretKey } = project;
  return createKmClient({ baseUrl, aspId, accessKey, secretKey, ...options });
}

/** The last part of a transaction token, by node:crypto. */
export function macOf(body: string | Uint8Array): string {
  return createHmac('sha256', project.secretKey).update(body).digest('base64');
}

/** A valid registration request. */
export const registration = {
  userId: '10000000001',
  bankAccount: '11012345678',
  bankCode: '003',
  bankName: 'IBK',
  userName: '김하늘',
  birthDate: '19900131',
};

/** A registration number. */
export const registrationNumber = '261122093000AB12CD34EF';
