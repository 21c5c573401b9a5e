import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, createReadStream, createWriteStream } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The version of the Temporal CLI to download or build when none is installed. It contains the development server. */
const version = '1.5.1';

/** The SHA-256 sums of that version's archives, as published with its release. */
const publishedSums: Readonly<Record<string, string>> = {
  'linux-amd64': 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  'linux-arm64': 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  'darwin-amd64': 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  'darwin-arm64': 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
};

/** The minimum version of the server in an installed CLI. */
const minServer = [1, 29] as const;

/** How long the download host may take to respond, and the download to complete, in ms. */
const downloadTimeoutsMs = { response: 10_000, complete: 300_000 };

/** How long a build may take, in ms. On two cores and with nothing cached it takes about five minutes. */
const buildTimeoutMs = 1_800_000;

/** Options of {@link findTemporalExecutable}. */
export interface TemporalExecutableOptions {
  /** Receives one line for the terminal when something will take long. */
  readonly log: (message: string) => void;
  /** Source of TEMPORAL_CLI_PATH, PATH, XDG_CACHE_HOME and HOME; default: `process.env`. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Default: a per-user directory that all clones share. */
  readonly cacheDirectory?: string;
  /** Default: Temporal's own site. */
  readonly downloadSite?: string;
  /** The SHA-256 sum of the archive to be downloaded. Default: the published one of this platform. */
  readonly archiveSum?: string;
  /** Cancels a download or a build. */
  readonly signal?: AbortSignal | undefined;
}

/** No Temporal CLI could be found or obtained. The message lists each attempt with its reason and says what to do. */
export class NoTemporalExecutableError extends Error {
  override readonly name = 'NoTemporalExecutableError';
}

/**
 * The path of a working Temporal CLI: TEMPORAL_CLI_PATH if set; otherwise the first of `temporal` on PATH, the per-user
 * cache, a download into the cache, a build with Go into the cache.
 *
 * @throws {Error} when TEMPORAL_CLI_PATH is set and cannot be used
 * @throws {NoTemporalExecutableError} when none of them works
 */
export async function findTemporalExecutable(options: TemporalExecutableOptions): Promise<string> {
  const { log, signal, environment = process.env, downloadSite = 'https://temporal.download' } = options;
  const configured = environment['TEMPORAL_CLI_PATH'];
  if (configured) {
    await requireUsable(configured).catch((error: unknown) => {
      throw new Error(`TEMPORAL_CLI_PATH names ${configured}, which cannot be used: ${reason(error)}`);
    });
    return configured;
  }

  const cached = join(
    options.cacheDirectory ?? userCacheDirectory(environment),
    `temporal-${version}`,
    'temporal',
  );
  const sources: [name: string, find: () => Promise<string>][] = [
    ['temporal on PATH', () => findOnPath('temporal', environment)],
    [`the cache, ${cached}`, () => findFile(cached)],
    [
      `download from ${downloadSite}`,
      () => download({ downloadSite, archiveSum: options.archiveSum, target: cached, log, signal }),
    ],
    ['build with Go', () => build({ environment, target: cached, log, signal })],
  ];
  const failures = ['TEMPORAL_CLI_PATH: not set'];
  for (const [name, find] of sources) {
    try {
      const executable = await find();
      await requireUsable(executable);
      return executable;
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${name}: ${reason(error)}`);
    }
  }
  throw new NoTemporalExecutableError(
    [
      'The Temporal development server is required, but could not be found or obtained. Tried in this order:',
      ...failures.map((failure) => `  - ${failure}`),
      'Install the Temporal CLI (https://docs.temporal.io/cli/setup-cli) so that `temporal` is on PATH or',
      'TEMPORAL_CLI_PATH names it; or install Go (https://go.dev/dl) so that it can be built.',
    ].join('\n'),
  );
}

/** `withdrawal-account-registration` below XDG_CACHE_HOME, which defaults to `~/.cache`. */
function userCacheDirectory(environment: NodeJS.ProcessEnv): string {
  const caches = environment['XDG_CACHE_HOME'] || join(environment['HOME'] || homedir(), '.cache');
  return join(caches, 'withdrawal-account-registration');
}

async function findOnPath(name: string, environment: NodeJS.ProcessEnv): Promise<string> {
  for (const directory of (environment['PATH'] ?? '').split(delimiter)) {
    const candidate = join(directory, name);
    if (directory !== '' && (await isExecutableFile(candidate))) return candidate;
  }
  throw new Error('not found');
}

async function findFile(path: string): Promise<string> {
  if (await isExecutableFile(path)) return path;
  throw new Error('not found');
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Runs `--version`, because the file may be for another architecture or its server too old. */
async function requireUsable(executable: string): Promise<void> {
  if (!(await isExecutableFile(executable))) throw new Error('it is not an executable file');
  const { stdout } = await run(executable, ['--version'], { timeout: 30_000 });
  const found = /Server (\d+)\.(\d+)/.exec(stdout);
  if (!found) throw new Error(`\`--version\` names no server: ${stdout.trim()}`);
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const [minMajor, minMinor] = minServer;
  if (major < minMajor || (major === minMajor && minor < minMinor)) {
    throw new Error(`its server ${major}.${minor} is older than ${minServer.join('.')}`);
  }
}

interface AcquisitionOptions {
  /** Final path of the executable. */
  readonly target: string;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal | undefined;
}

async function download({
  downloadSite,
  archiveSum,
  target,
  log,
  signal,
}: AcquisitionOptions & {
  readonly downloadSite: string;
  readonly archiveSum: string | undefined;
}): Promise<string> {
  const platform = { linux: 'linux', darwin: 'darwin' }[process.platform as string];
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (!platform || !architecture) throw new Error(`not available for ${process.platform} on ${process.arch}`);
  const expectedSum = archiveSum ?? publishedSums[`${platform}-${architecture}`];
  const url = `${downloadSite}/cli/archive/v${version}?platform=${platform}&arch=${architecture}`;

  log(`Downloading the Temporal CLI ${version} from ${downloadSite}`);
  const noResponse = new AbortController();
  const responseTimer = setTimeout(
    () => noResponse.abort(new Error(`no response within ${downloadTimeoutsMs.response / 1000} s`)),
    downloadTimeoutsMs.response,
  );
  try {
    const signals = [
      noResponse.signal,
      AbortSignal.timeout(downloadTimeoutsMs.complete),
      ...(signal ? [signal] : []),
    ];
    const response = await fetch(url, { signal: AbortSignal.any(signals) });
    clearTimeout(responseTimer);
    if (!response.ok || !response.body) throw new Error(`HTTP status ${response.status}`);
    const body = response.body;
    return await installAtomically(target, async (directory) => {
      const archive = join(directory, 'temporal.tar.gz');
      await pipeline(Readable.fromWeb(body), createWriteStream(archive));
      const sum = createHash('sha256');
      await pipeline(createReadStream(archive), sum);
      if (sum.digest('hex') !== expectedSum)
        throw new Error('its SHA-256 sum is not that of the published archive');
      await run('tar', ['-xzf', archive, '-C', directory, 'temporal']);
    });
  } finally {
    clearTimeout(responseTimer);
  }
}

async function build({
  environment,
  target,
  log,
  signal,
}: AcquisitionOptions & { readonly environment: NodeJS.ProcessEnv }): Promise<string> {
  const go = await findOnPath('go', environment).catch(() => {
    throw new Error('go is not on PATH');
  });
  const module = `github.com/temporalio/cli/cmd/temporal@v${version}`;
  log(
    `Building the Temporal CLI with \`go install ${module}\`. This happens once and takes about five minutes`,
  );
  const startedAt = Date.now();
  const progress = setInterval(() => {
    log(`Still building the Temporal CLI (${Math.round((Date.now() - startedAt) / 1000)} s)`);
  }, 10_000);
  try {
    return await installAtomically(target, (directory) =>
      runBuild(go, ['install', module], { ...environment, GOBIN: directory }, signal),
    );
  } finally {
    clearInterval(progress);
  }
}

/** @throws {Error} with the last lines of the build's output when it fails */
async function runBuild(
  go: string,
  commandArguments: string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<void> {
  const child = spawn(go, commandArguments, {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: buildTimeoutMs,
    // Go forwards an interrupt to its compilers.
    killSignal: 'SIGINT',
    ...(signal ? { signal } : {}),
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-2_000);
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(output.trim().split('\n').slice(-5).join('\n    ') || `exit code ${code}`));
    });
  });
}

/** Has `obtain` put `temporal` into a new directory, then moves it to `target`, which is thus complete or missing. */
async function installAtomically(
  target: string,
  obtain: (directory: string) => Promise<void>,
): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  const directory = await mkdtemp(join(dirname(target), 'partial-'));
  try {
    await obtain(directory);
    await requireUsable(join(directory, 'temporal'));
    await rename(join(directory, 'temporal'), target);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return target;
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The error of `fetch` has the actual reason as its cause.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
