import { z } from 'zod';
import { UsageError } from '../../command-line/command-line.ts';
import { createKmClient } from '../km-client.ts';
import type { KmClient, KmClientOptions } from '../km-client.ts';

/** A client with its credentials. */
export interface Connection {
  readonly client: KmClient;
  /** The member's name and birth date, where the sandbox lists the member. */
  readonly member: { readonly userName: string; readonly birthDate: string } | undefined;
}

/** The URL is not that of a running service, or credentials are missing. */
export class ServiceNotFound extends Error {
  override readonly name = 'ServiceNotFound';
}

const memberSchema = z.object({ userId: z.string(), userName: z.string(), birthDate: z.string() });

const sandboxSchema = z.object({
  projects: z
    .array(
      z.object({
        aspId: z.string(),
        accessKey: z.string(),
        secretKey: z.string(),
        cryptoKeyId: z.string(),
        serverPublicKey: z.string(),
        clientPrivateKey: z.string(),
        members: z.array(memberSchema),
      }),
    )
    .min(1),
});

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Makes a client with the credentials of the environment. Without any, uses the sandbox's public credentials, those of
 * the project that has the member.
 * @throws {UsageError} when the URL is invalid, or the environment has only part of the credentials
 * @throws {ServiceNotFound} when sandbox credentials are needed and no sandbox answers
 */
export async function connect(
  url: string | undefined,
  userId: string | undefined,
  environment: Environment,
): Promise<Connection> {
  const root = rootOf(url ?? (environment['KM_URL'] || 'http://localhost:3000'));
  const given = readCredentials(environment);
  const baseUrl = `${root}/open-api`;
  if (given) return { client: createKmClient({ baseUrl, ...given }), member: undefined };

  const projects = await fetchSandboxProjects(root);
  const find = (project: (typeof projects)[number]) =>
    project.members.find((member) => member.userId === userId);
  const project = projects.find(find) ?? projects[0]!;
  const { aspId, accessKey, secretKey, ...encryption } = project;
  return {
    client: createKmClient({ baseUrl, aspId, accessKey, secretKey, encryption }),
    member: find(project),
  };
}

/** Takes the URL of the service with or without the path of its API. */
function rootOf(url: string): string {
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw new UsageError(`"${url}" is no URL of a service.`);
  return url.replace(/\/+$/, '').replace(/\/open-api$/, '');
}

function readCredentials(environment: Environment): Omit<KmClientOptions, 'baseUrl'> | undefined {
  const read = (names: readonly string[]): string[] | undefined => {
    // PEM fits into one line of an environment file with \n for its line ends.
    const values = names.map((name) => environment[name]?.replaceAll('\\n', '\n') ?? '');
    const missing = names.filter((_, position) => values[position] === '');
    if (missing.length === names.length) return undefined;
    if (missing.length > 0) throw new UsageError(`${missing.join(' and ')} must be set as well.`);
    return values;
  };
  const keys = read(['KM_ASP_ID', 'KM_ACCESS_KEY', 'KM_SECRET_KEY']);
  const encryptionKeys = read(['KM_CRYPTO_KEY_ID', 'KM_SERVER_PUBLIC_KEY', 'KM_CLIENT_PRIVATE_KEY']);
  if (!keys) return undefined;
  const [aspId = '', accessKey = '', secretKey = ''] = keys;
  if (!encryptionKeys) return { aspId, accessKey, secretKey };
  const [cryptoKeyId = '', serverPublicKey = '', clientPrivateKey = ''] = encryptionKeys;
  return { aspId, accessKey, secretKey, encryption: { cryptoKeyId, serverPublicKey, clientPrivateKey } };
}

async function fetchSandboxProjects(root: string) {
  const answer = await fetch(`${root}/sandbox/credentials`, { signal: AbortSignal.timeout(10_000) }).catch(
    () => {
      throw new ServiceNotFound(
        `Nothing answers at ${root}. Start the sandbox with "npm start", or name another place with --url or KM_URL.`,
      );
    },
  );
  const sandbox = sandboxSchema.safeParse(await answer.json().catch(() => undefined));
  if (sandbox.success) return sandbox.data.projects;
  throw new ServiceNotFound(
    `${root} gives no sandbox credentials. Set KM_ASP_ID, KM_ACCESS_KEY and KM_SECRET_KEY, and for encryption ` +
      'KM_CRYPTO_KEY_ID, KM_SERVER_PUBLIC_KEY and KM_CLIENT_PRIVATE_KEY.',
  );
}
