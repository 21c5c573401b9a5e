import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const processIdentityFile = z.object({ pid: z.number(), started: z.string() });

/** A process ID and the start time that distinguishes the process from a later one with the same ID. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in the operating system's own format. It is compared, never parsed. */
  readonly started: string;
}

/** The identity of the running process `pid`; undefined if there is none. A zombie does not count as running. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const started = existsSync('/proc/self/stat') ? startedByProcFileSystem(pid) : startedByProcessList(pid);
  return started === undefined ? undefined : { pid, started };
}

/** The identity stored in `file` as JSON; undefined if the file is missing or invalid. */
export function readProcessIdentity(file: string): ProcessIdentity | undefined {
  try {
    return processIdentityFile.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Whether exactly this process still runs. */
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
  // Field 2, the command, is in parentheses and may contain spaces and parentheses.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return undefined;
  // Start ticks count from boot, so they identify a process only together with the boot ID.
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
