import { execFile, spawn } from 'node:child_process';
import { constants, createWriteStream } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The Temporal CLI, which holds the development server, that is downloaded or built when none is installed. */
const version = '1.5.1';

/** The oldest server inside a CLI found on PATH that will do. */
const oldestServer = [1, 29] as const;

/** Milliseconds until the download host must have answered, and until the download must be complete. */
const downloadDeadlines = { answer: 10_000, complete: 300_000 };

/** Milliseconds a build may take; it needs about five minutes on two cores with nothing cached. */
const buildDeadline = 1_800_000;

/** Where to look and whom to tell. */
export interface TemporalExecutableOptions {
  /** One line for the terminal, when something is about to take long. */
  readonly log: (message: string) => void;
  /** Default: `process.env`. TEMPORAL_CLI_PATH, PATH, XDG_CACHE_HOME and HOME are read. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Default: a directory of the user's that all clones share. */
  readonly cacheDirectory?: string;
  /** Default: Temporal's own. */
  readonly downloadSite?: string;
  /** Gives up a download or a build. */
  readonly signal?: AbortSignal | undefined;
}

/** No way led to a Temporal CLI; the message lists each way with its reason and says what to do. */
export class NoTemporalExecutableError extends Error {
  override readonly name = 'NoTemporalExecutableError';
}

/**
 * The path of a Temporal CLI that runs: the one TEMPORAL_CLI_PATH names; else the first of `temporal` on PATH, the
 * per-user cache, a download into the cache, a build with Go into the cache.
 *
 * @throws {Error} when TEMPORAL_CLI_PATH is set and of no use
 * @throws {NoTemporalExecutableError} when no way works
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
  const ways: [name: string, find: () => Promise<string>][] = [
    ['temporal on PATH', () => findOnPath('temporal', environment)],
    [`the cache, ${cached}`, () => findFile(cached)],
    [`download from ${downloadSite}`, () => download({ downloadSite, target: cached, log, signal })],
    ['build with Go', () => build({ environment, target: cached, log, signal })],
  ];
  const failures = ['TEMPORAL_CLI_PATH: not set'];
  for (const [name, find] of ways) {
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
      'The Temporal development server is needed and could not be found or obtained. Tried, in this order:',
      ...failures.map((failure) => `  - ${failure}`),
      'Install the Temporal CLI (https://docs.temporal.io/cli/setup-cli) so that `temporal` is on PATH or',
      'TEMPORAL_CLI_PATH names it; or install Go (https://go.dev/dl) so that it can be built.',
    ].join('\n'),
  );
}

/** `~/.cache/withdrawal-account-registration`, or the same below XDG_CACHE_HOME. */
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
  throw new Error('not there');
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Runs `--version`, since a file may be of another architecture or hold a server that is too old. */
async function requireUsable(executable: string): Promise<void> {
  if (!(await isExecutableFile(executable))) throw new Error('it is not an executable file');
  const { stdout } = await run(executable, ['--version'], { timeout: 30_000 });
  const found = /Server (\d+)\.(\d+)/.exec(stdout);
  if (!found) throw new Error(`\`--version\` does not tell of a server: ${stdout.trim()}`);
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const [oldestMajor, oldestMinor] = oldestServer;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Error(`its server ${major}.${minor} is older than ${oldestServer.join('.')}`);
  }
}

interface Obtaining {
  /** Where the executable shall be in the end. */
  readonly target: string;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal | undefined;
}

async function download({
  downloadSite,
  target,
  log,
  signal,
}: Obtaining & { readonly downloadSite: string }): Promise<string> {
  const platform = { linux: 'linux', darwin: 'darwin' }[process.platform as string];
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (!platform || !architecture) throw new Error(`nothing for ${process.platform} on ${process.arch}`);
  const url = `${downloadSite}/cli/archive/v${version}?platform=${platform}&arch=${architecture}`;

  log(`Downloading the Temporal CLI ${version} from ${downloadSite}`);
  const silence = new AbortController();
  const silenceTimer = setTimeout(
    () => silence.abort(new Error(`no answer within ${downloadDeadlines.answer / 1000} s`)),
    downloadDeadlines.answer,
  );
  try {
    const signals = [
      silence.signal,
      AbortSignal.timeout(downloadDeadlines.complete),
      ...(signal ? [signal] : []),
    ];
    const response = await fetch(url, { signal: AbortSignal.any(signals) });
    clearTimeout(silenceTimer);
    if (!response.ok || !response.body) throw new Error(`HTTP status ${response.status}`);
    const body = response.body;
    return await intoPlace(target, async (directory) => {
      const archive = join(directory, 'temporal.tar.gz');
      await pipeline(Readable.fromWeb(body), createWriteStream(archive));
      await run('tar', ['-xzf', archive, '-C', directory, 'temporal']);
    });
  } finally {
    clearTimeout(silenceTimer);
  }
}

async function build({
  environment,
  target,
  log,
  signal,
}: Obtaining & { readonly environment: NodeJS.ProcessEnv }): Promise<string> {
  const go = await findOnPath('go', environment).catch(() => {
    throw new Error('go is not on PATH');
  });
  const module = `github.com/temporalio/cli/cmd/temporal@v${version}`;
  log(`Building the Temporal CLI once with \`go install ${module}\`; this takes about five minutes`);
  const startedAt = Date.now();
  const progress = setInterval(() => {
    log(`Still building the Temporal CLI (${Math.round((Date.now() - startedAt) / 1000)} s)`);
  }, 10_000);
  try {
    return await intoPlace(target, (directory) =>
      runBuild(go, ['install', module], { ...environment, GOBIN: directory }, signal),
    );
  } finally {
    clearInterval(progress);
  }
}

/** @throws {Error} with the last lines that the build wrote, when it fails */
async function runBuild(
  go: string,
  commandArguments: string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<void> {
  const child = spawn(go, commandArguments, {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: buildDeadline,
    // Go passes an interrupt on to its compilers.
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

/** Lets `obtain` put `temporal` into a new directory and moves it to `target`, which thus is whole or missing. */
async function intoPlace(target: string, obtain: (directory: string) => Promise<void>): Promise<string> {
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
  // fetch hides what happened in the cause.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
