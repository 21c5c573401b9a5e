import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedTest } from './guard.ts';

/** How a test ended. `message` is that of its first failure. */
export interface Outcome {
  readonly state: 'passed' | 'failed' | 'did not run';
  readonly message: string;
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** How to run vitest in a copy of the source. */
export interface RunOptions {
  /** Directory of the copy. */
  readonly directory: string;
  /** Added to the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends vitest. */
  readonly signal: AbortSignal;
  /** Called with each line of vitest's own output. */
  readonly onLine?: (line: string) => void;
}

/** Runs the named tests and nothing else. @returns an outcome for each of them, in their order */
export async function runTests(tests: readonly NamedTest[], options: RunOptions): Promise<Outcome[]> {
  const report = join(options.directory, 'guards-report.json');
  rmSync(report, { force: true });
  const files = [...new Set(tests.map(({ file }) => file))];
  const names = [...new Set(tests.map(fullNameOf))];
  const vitest = spawn(
    process.execPath,
    [
      join('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      '--testNamePattern',
      `^(${names.map(escape).join('|')})$`,
      ...files,
    ],
    {
      cwd: options.directory,
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output: string[] = [];
  const read = (text: string): void => {
    output.push(text);
    for (const line of text.split('\n')) if (line.trim()) options.onLine?.(line);
  };
  vitest.stdout.setEncoding('utf8').on('data', read);
  vitest.stderr.setEncoding('utf8').on('data', read);
  const end = (): boolean => vitest.kill('SIGINT');
  options.signal.addEventListener('abort', end, { once: true });
  await once(vitest, 'close');
  options.signal.removeEventListener('abort', end);
  if (options.signal.aborted) return tests.map(() => ({ state: 'did not run', message: 'it took too long' }));
  return readOutcomes(report, tests, options.directory) ?? tests.map(() => didNotRun(output.join('')));
}

function readOutcomes(file: string, tests: readonly NamedTest[], directory: string): Outcome[] | undefined {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return undefined;
  }
  return tests.map((test) => {
    const result = report.testResults.find(({ name }) => name === join(directory, test.file));
    const found = result?.assertionResults.find(({ fullName }) => fullName === fullNameOf(test));
    if (found?.status === 'passed') return { state: 'passed', message: '' };
    if (found?.status === 'failed') return { state: 'failed', message: found.failureMessages[0] ?? '' };
    return didNotRun(result?.message || `vitest found no test of this name in ${test.file}`);
  });
}

const didNotRun = (message: string): Outcome => ({ state: 'did not run', message: message.slice(-2_000) });

/** As vitest's pattern and report have it. */
const fullNameOf = ({ name }: NamedTest): string => name.replaceAll(' > ', ' ');

const escape = (text: string): string => text.replace(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`);
