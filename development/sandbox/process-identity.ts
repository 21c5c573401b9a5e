import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const processIdentityFile = z.object({ pid: z.number(), started: z.string() });

/** A process id together with what tells the process from a later one that was given the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in whatever form this operating system tells it; compared, never parsed. */
  readonly started: string;
}

/** The identity of the running process `pid`, or undefined when there is none (a zombie counts as none). */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const started = existsSync('/proc/self/stat') ? startedByProcFileSystem(pid) : startedByProcessList(pid);
  return started === undefined ? undefined : { pid, started };
}

/** The identity kept as JSON in `file`, or undefined when the file is missing or holds none. */
export function readProcessIdentity(file: string): ProcessIdentity | undefined {
  try {
    return processIdentityFile.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Whether the very process that `identity` was taken of still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return processIdentity(identity.pid)?.started === identity.started;
}

function startedByProcFileSystem(pid: number): string | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command, field 2, is in parentheses and may itself hold blanks and parentheses.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return undefined;
  // Ticks count from boot, so they mean something only together with the boot.
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot}:${startTicks}`;
}

function startedByProcessList(pid: number): string | undefined {
  try {
    const environment = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const output = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [state, ...started] = output.split(/\s+/);
    return state === undefined || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}
