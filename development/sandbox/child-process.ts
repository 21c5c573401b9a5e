import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from './error-code.ts';
import { projectDirectory } from './project-directory.ts';
import { isRunning, processIdentity, readProcessIdentity } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** How long a child may take to stop by itself, in milliseconds. */
const stopDeadline = 15_000;

/** What to start and how to look after it. */
export interface ChildSpecification {
  /** How messages call the child. */
  readonly name: string;
  readonly executable: string;
  readonly arguments: readonly string[];
  /** The whole environment besides {@link inheritedEnvironment}. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where standard output and standard error go. The log of the start before is kept beside it, as `.previous`. */
  readonly logFile: string;
  /** Where to note the process, for {@link endRecordedProcess} of a later start. */
  readonly recordFile?: string | undefined;
}

/** How a process ended: the exit code, or the signal that killed it. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started child. It shares the launcher's process group, so that whatever ends the group ends the child too. */
export interface Child {
  readonly name: string;
  readonly logFile: string;
  readonly exited: Promise<ChildExit>;
  /** Asks the child to end (SIGTERM), kills it after 15 seconds or as soon as `hurry` aborts, and waits for the end. */
  stop(hurry?: AbortSignal): Promise<void>;
  /** Kills the child at once (SIGKILL) and waits for its end. */
  kill(): Promise<void>;
}

/** A child ended although nobody stopped it; the message holds the end of its log. */
export class ChildDiedError extends Error {
  override readonly name = 'ChildDiedError';

  constructor({ name, logFile }: Pick<Child, 'name' | 'logFile'>, { code, signal }: ChildExit) {
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    super(`The ${name} ended unexpectedly ${how}.\n${describeLog(logFile)}`);
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
    async stop(hurry) {
      child.kill('SIGTERM');
      const kill = (): boolean => child.kill('SIGKILL');
      const timer = setTimeout(kill, stopDeadline);
      hurry?.addEventListener('abort', kill, { once: true });
      if (hurry?.aborted) kill();
      await exited;
      clearTimeout(timer);
      hurry?.removeEventListener('abort', kill);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Starts a TypeScript program as one Node process that ends with the launcher, even if that is killed. */
export function startNodeChild({
  file,
  ...specification
}: Omit<ChildSpecification, 'executable' | 'arguments'> & { readonly file: string }): Promise<Child> {
  const exitWithParent = new URL('exit-with-parent.mjs', import.meta.url).href;
  return startChild({
    ...specification,
    executable: process.execPath,
    arguments: ['--import', import.meta.resolve('tsx'), '--import', exitWithParent, file],
  });
}

/** Never resolves. @throws {ChildDiedError} as soon as the child ends */
export async function unexpectedExit(child: Child): Promise<never> {
  throw new ChildDiedError(child, await child.exited);
}

/**
 * Ends the process that an earlier start noted in `recordFile`, if it still runs: SIGTERM, after 15 seconds SIGKILL.
 *
 * @returns whether there was one to end
 */
export async function endRecordedProcess(recordFile: string): Promise<boolean> {
  const identity = readProcessIdentity(recordFile);
  const found = identity !== undefined && isRunning(identity);
  if (found) {
    const killAt = Date.now() + stopDeadline;
    sendSignal(identity, 'SIGTERM');
    while (isRunning(identity)) {
      if (Date.now() > killAt) sendSignal(identity, 'SIGKILL');
      await delay(50);
    }
  }
  rmSync(recordFile, { force: true });
  return found;
}

/** The last 20 lines of a log and where the rest is. */
export function describeLog(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-20);
  return [...lines.map((line) => `  | ${line}`), `Whole log: ${logFile}`].join('\n');
}

/** What any program needs from the surroundings; everything else is given to each child on purpose. */
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
