import { z } from 'zod';
import { UsageError } from '../../command-line/command-line.ts';
import { findRunningSandbox } from '../../command-line/running-sandbox.ts';
import { createKmClient } from '../km-client.ts';
import type { KmClient } from '../km-client.ts';
import type { EncryptionKeys } from '../message-encryption.ts';
import type { OptionValues } from './options.ts';

/** A client with its credentials. */
export interface Connection {
  readonly client: KmClient;
  /** The URL of the service, without the path of its API. */
  readonly url: string;
  /** The projects of the sandbox, the one of the client first, or the one of the environment. */
  readonly projects: readonly Project[];
  readonly isSandbox: boolean;
  /** The member's name and birth date, where the sandbox lists the member. */
  readonly member: { readonly userName: string; readonly birthDate: string } | undefined;
  /** The options that lead another command to the same project, such as ` --url http://localhost:4000`. */
  readonly sameProject: string;
}

/** A service provider's project with its keys. */
export interface Project {
  readonly aspId: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly encryption?: EncryptionKeys;
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

const defaultUrl = 'http://localhost:3000';

/**
 * Makes a client with the credentials of the environment. Without any, uses the sandbox's public credentials: those of
 * the project `asp`, else those of the project that has the member, else the first. Without a URL it takes the sandbox
 * that was started last.
 * @throws {UsageError} when an option is invalid, or the environment has only part of the credentials
 * @throws {ServiceNotFound} when sandbox credentials are needed and no sandbox answers
 */
export async function connect(
  { url, user, asp }: OptionValues,
  environment: Environment,
): Promise<Connection> {
  const lasting = environment['KM_URL'] ? rootOf(environment['KM_URL']) : undefined;
  const root =
    url === undefined ? (lasting ?? (await findRunningSandbox(environment))?.url ?? defaultUrl) : rootOf(url);
  // Without KM_URL, another command would go to the sandbox that was started last.
  const urlOption = root === lasting ? '' : ` --url ${root}`;
  const createClient = (project: Project) => createKmClient({ baseUrl: `${root}/open-api`, ...project });

  const given = readCredentials(environment);
  if (given) {
    if (asp !== undefined && asp !== given.aspId) {
      throw new UsageError('--asp chooses a project of the sandbox; KM_ASP_ID already names one.');
    }
    const own = { url: root, projects: [given], isSandbox: false, member: undefined };
    return { ...own, client: createClient(given), sameProject: urlOption };
  }

  const listed = await fetchSandboxProjects(root);
  const memberOf = ({ members }: (typeof listed)[number]) => members.find(({ userId }) => userId === user);
  const chosen = asp === undefined ? listed.find(memberOf) : listed.find(({ aspId }) => aspId === asp);
  if (asp !== undefined && chosen === undefined) {
    const names = listed.map(({ aspId }) => aspId).join(', ');
    throw new UsageError(`The sandbox has no project ${asp}, but ${names}.`);
  }
  const first = chosen ?? listed[0]!;
  const projects = [first, ...listed.filter((project) => project !== first)].map(withEncryption);
  return {
    client: createClient(projects[0]!),
    url: root,
    projects,
    isSandbox: true,
    member: memberOf(first),
    sameProject: first === listed[0] ? urlOption : `${urlOption} --asp ${first.aspId}`,
  };
}

/** Takes the URL of the service with or without the path of its API. */
function rootOf(url: string): string {
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw new UsageError(`"${url}" is no URL of a service.`);
  return url.replace(/\/+$/, '').replace(/\/open-api$/, '');
}

function readCredentials(environment: Environment): Project | undefined {
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

function withEncryption({
  aspId,
  accessKey,
  secretKey,
  ...encryption
}: z.output<typeof sandboxSchema>['projects'][number]): Project {
  return { aspId, accessKey, secretKey, encryption };
}
