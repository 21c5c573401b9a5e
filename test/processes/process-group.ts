import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

/** A program with all its children, in a process group of its own. */
export interface ProcessGroup {
  /** The process ID of the program itself. */
  readonly id: number;
  /** What it has written so far, to either output. */
  output(): string;
  /** The exit code of the program itself; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Resolves with the first match in the output. @throws {Error} with the output when the program ends before */
  untilOutput(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends SIGTERM to the program itself. */
  terminate(): void;
  /** Sends SIGTERM to the whole group. */
  terminateGroup(): void;
  /** Sends SIGSTOP to the whole group: it stands still between two instructions. */
  freeze(): void;
  /** Lets a frozen group go on. */
  thaw(): void;
  /** Sends SIGKILL to the whole group, and waits. */
  kill(): Promise<void>;
  /** Whether any process of the group is left. */
  isAlive(): boolean;
}

/** Starts a program in the project's directory with no environment but the one given; it ends with the test. */
export function startGroup(
  command: string,
  commandArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
): ProcessGroup {
  const inherited = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    // A sandbox announces itself there; this one is not for the commands of whoever runs the tests.
    XDG_STATE_HOME: temporaryDirectory(),
  };
  const program = spawn(command, commandArguments, {
    cwd: projectDirectory,
    env: { ...inherited, ...environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const group = -program.pid!;
  let output = '';
  for (const stream of [program.stdout, program.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const exited = new Promise<number | null>((resolve) => {
    program.on('close', resolve);
  });

  const isAlive = (): boolean => {
    try {
      return process.kill(group, 0);
    } catch {
      return false;
    }
  };
  const kill = async (): Promise<void> => {
    if (isAlive()) process.kill(group, 'SIGKILL');
    while (isAlive()) await delay(20);
    await exited;
  };
  onTestFinished(kill);

  return {
    id: program.pid!,
    output: () => output,
    exited,
    isAlive,
    kill,
    terminate: () => program.kill('SIGTERM'),
    terminateGroup: () => process.kill(group, 'SIGTERM'),
    freeze: () => process.kill(group, 'SIGSTOP'),
    thaw: () => process.kill(group, 'SIGCONT'),
    async untilOutput(pattern) {
      let ended = false;
      void exited.then(() => (ended = true));
      for (;;) {
        const match = pattern.exec(output);
        if (match) return match;
        if (ended) throw new Error(`It ended before it wrote ${String(pattern)}:\n${output}`);
        await delay(50);
      }
    },
  };
}

/** Starts a TypeScript program of the project. */
export function startProgram(file: string, environment: Readonly<Record<string, string>>): ProcessGroup {
  return startGroup(process.execPath, ['--import', 'tsx', file], environment);
}
