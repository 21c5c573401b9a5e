import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../../runtime/error-code.ts';
import { projectDirectory } from './project-directory.ts';
import { isRunning, processIdentity, readProcessIdentity } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** How long a child may take to exit after SIGTERM, in ms. */
const stopTimeoutMs = 15_000;

/** A program to start as a child process. */
export interface ChildSpecification {
  /** The child's name in messages. */
  readonly name: string;
  readonly executable: string;
  readonly arguments: readonly string[];
  /** Added to the few inherited variables, see {@link inheritedEnvironment}. */
  readonly environment: Readonly<Record<string, string>>;
  /** Receives standard output and standard error. The log of the previous start is kept as `<logFile>.previous`. */
  readonly logFile: string;
  /** Records the process, so that a later start can stop it with {@link stopRecordedProcess}. */
  readonly recordFile?: string | undefined;
}

/** How a process ended: the exit code, or the signal that killed it. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running child. It is in the launcher's process group, so a signal to the group reaches it too. */
export interface Child {
  readonly name: string;
  readonly logFile: string;
  readonly exited: Promise<ChildExit>;
  /** Sends SIGTERM, then SIGKILL after 15 s or when `killSignal` aborts. Resolves when the child has exited. */
  stop(killSignal?: AbortSignal): Promise<void>;
  /** Sends SIGKILL. Resolves when the child has exited. */
  kill(): Promise<void>;
}

/** A child exited without being stopped. The message includes the end of its log. */
export class UnexpectedExitError extends Error {
  override readonly name = 'UnexpectedExitError';

  constructor({ name, logFile }: Pick<Child, 'name' | 'logFile'>, { code, signal }: ChildExit) {
    const how = signal === null ? `with code ${code}` : `because of ${signal}`;
    super(`The ${name} exited unexpectedly ${how}.\n${logExcerpt(logFile)}`);
  }
}

/** Starts a child. @throws {Error} when the executable cannot be started */
export async function startChild(specification: ChildSpecification): Promise<Child> {
  const { name, executable, environment, logFile, recordFile } = specification;
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.previous`);
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(executable, specification.arguments, {
    cwd: projectDirectory,
    env: { ...inheritedEnvironment(), ...environment },
    stdio: ['pipe', log, log],
  });
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => {
      if (recordFile !== undefined) rmSync(recordFile, { force: true });
      resolve({ code, signal });
    });
  });
  closeSync(log);
  await once(child, 'spawn');
  if (recordFile !== undefined && child.pid !== undefined) {
    const identity = processIdentity(child.pid);
    if (identity) writeFileSync(recordFile, JSON.stringify(identity), { mode: 0o600 });
  }

  return {
    name,
    logFile,
    exited,
    async stop(killSignal) {
      child.kill('SIGTERM');
      const kill = (): boolean => child.kill('SIGKILL');
      const timer = setTimeout(kill, stopTimeoutMs);
      killSignal?.addEventListener('abort', kill, { once: true });
      if (killSignal?.aborted) kill();
      await exited;
      clearTimeout(timer);
      killSignal?.removeEventListener('abort', kill);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Starts a TypeScript program as one Node process, which exits with the launcher even if that is killed. */
export function startNodeChild({
  file,
  arguments: words = [],
  ...specification
}: Omit<ChildSpecification, 'executable' | 'arguments'> & {
  readonly file: string;
  readonly arguments?: readonly string[];
}): Promise<Child> {
  const exitWithParent = new URL('exit-with-parent.mjs', import.meta.url).href;
  return startChild({
    ...specification,
    executable: process.execPath,
    arguments: ['--import', import.meta.resolve('tsx'), '--import', exitWithParent, file, ...words],
  });
}

/** Never resolves. @throws {UnexpectedExitError} when the child exits */
export async function unexpectedExit(child: Child): Promise<never> {
  throw new UnexpectedExitError(child, await child.exited);
}

/**
 * Stops the process that an earlier start recorded in `recordFile`, if it still runs: SIGTERM, then SIGKILL after 15 s.
 *
 * @returns whether such a process was running
 */
export async function stopRecordedProcess(recordFile: string): Promise<boolean> {
  const identity = readProcessIdentity(recordFile);
  const found = identity !== undefined && isRunning(identity);
  if (found) {
    const killAt = Date.now() + stopTimeoutMs;
    sendSignal(identity, 'SIGTERM');
    while (isRunning(identity)) {
      if (Date.now() > killAt) sendSignal(identity, 'SIGKILL');
      await delay(50);
    }
  }
  rmSync(recordFile, { force: true });
  return found;
}

/** The last 20 lines of a log and its path. */
export function logExcerpt(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-20);
  return [...lines.map((line) => `  | ${line}`), `Full log: ${logFile}`].join('\n');
}

/** What any program needs to run. Every other variable is passed to each child explicitly. */
function inheritedEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

function sendSignal({ pid }: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
