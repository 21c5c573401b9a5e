import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Stores } from '../../database/stores.ts';
import { createProjectKeys, createRsaKeyPair } from '../../encryption/project-keys.ts';
import type { ProjectKeys } from '../../encryption/project-keys.ts';
import { errorCode } from '../../runtime/error-code.ts';
import { inventMembers } from './members.ts';

/** Both sides' keys of a sandbox project (PEM), so that anyone can act as the service provider. */
interface ProjectCredentials extends ProjectKeys {
  readonly aspId: string;
  readonly clientPublicKey: string;
  readonly clientPrivateKey: string;
}

/** The sandbox's projects. The first accepts plain bodies (curl and openssl suffice), the second is as strict as production. */
const projects = [
  { aspId: 'SANDBOXASP00001', firstUserId: 10_000_000_000n, members: 10_000, isStrict: false },
  { aspId: 'SANDBOXASP00002', firstUserId: 20_000_000_000n, members: 100, isStrict: true },
] as const;

/** How many members of each project `GET /sandbox/credentials` lists. */
export const listedMembers = 100;

/** Reads the credentials stored in `file`, or creates them on the first start. Only the owner can read the file. */
export async function loadCredentials(file: string): Promise<ProjectCredentials[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ProjectCredentials[];
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const credentials = await Promise.all(projects.map(({ aspId }) => createCredentials(aspId)));
  await writeFile(`${file}.new`, JSON.stringify(credentials), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return credentials;
}

/**
 * Adds the sandbox's projects, each with at most `maxMembers` members. Idempotent: existing ones do not change.
 */
export async function seed(
  stores: Stores,
  credentials: readonly ProjectCredentials[],
  maxMembers = Number.POSITIVE_INFINITY,
): Promise<void> {
  await stores.rowSeals.createKey();
  for (const { aspId, firstUserId, isStrict, members } of projects) {
    const keys = credentials.find((candidate) => candidate.aspId === aspId)!;
    await stores.projects.add({ ...keys, demandsEncryption: isStrict, comparesMember: isStrict });
    const count = Math.min(members, maxMembers);
    const lastUserId = String(firstUserId + BigInt(count - 1));
    if (await stores.members.find(aspId, lastUserId)) continue;
    await stores.members.add(aspId, inventMembers(firstUserId, count));
  }
}

/** The response of `GET /sandbox/credentials`. */
export function publicCredentials(credentials: readonly ProjectCredentials[]) {
  return {
    projects: projects.map(({ aspId, firstUserId }) => {
      const keys = credentials.find((candidate) => candidate.aspId === aspId)!;
      const { accessKey, secretKey, cryptoKeyId, serverPublicKey, clientPrivateKey } = keys;
      const members = inventMembers(firstUserId, listedMembers);
      return { aspId, accessKey, secretKey, cryptoKeyId, serverPublicKey, clientPrivateKey, members };
    }),
  };
}

async function createCredentials(aspId: string): Promise<ProjectCredentials> {
  const [keys, client] = await Promise.all([createProjectKeys(), createRsaKeyPair()]);
  return { aspId, ...keys, clientPublicKey: client.publicKey, clientPrivateKey: client.privateKey };
}
