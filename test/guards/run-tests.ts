import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedTest } from './guard.ts';
import type { Report } from './outcome-reporter.ts';

/** How a test ended. `message`: why it failed, `isAssertion`: whether by an assertion, or why it did not run. */
export interface Outcome {
  readonly state: 'passed' | 'failed' | 'did not run';
  readonly isAssertion: boolean;
  readonly message: string;
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
  const { directory, environment, signal, onLine } = options;
  const report = join(directory, 'guards-report.json');
  rmSync(report, { force: true });
  const files = [...new Set(tests.map(({ file }) => file))];
  const names = [...new Set(tests.map(({ name }) => name))];
  const vitest = spawn(
    process.execPath,
    [
      join('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      // A failing file must not affect the files after it.
      '--isolate',
      // Without its guard a test may take longer to reach its assertion.
      '--testTimeout=120000',
      // From one guard to the next, one file changes.
      '--experimental.fsModuleCache',
      '--experimental.fsModuleCachePath=module-cache',
      '--reporter=default',
      '--reporter=./test/guards/outcome-reporter.ts',
      '--testNamePattern',
      // The names of blocks are joined by a space there.
      `^(${names.map((name) => escape(name.replaceAll(' > ', ' '))).join('|')})$`,
      ...files,
    ],
    {
      cwd: directory,
      env: { ...process.env, ...environment, GUARDS_REPORT: report },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  const read = (text: string): void => {
    output += text;
    for (const line of text.split('\n')) if (line.trim()) onLine?.(line);
  };
  vitest.stdout.setEncoding('utf8').on('data', read);
  vitest.stderr.setEncoding('utf8').on('data', read);
  const end = (): boolean => vitest.kill('SIGINT');
  signal.addEventListener('abort', end, { once: true });
  await once(vitest, 'close');
  signal.removeEventListener('abort', end);
  if (signal.aborted) return tests.map(() => didNotRun('it took too long'));
  const outcome = readReport(report);
  return tests.map((test) => (outcome ? outcomeOf(test, outcome, directory) : didNotRun(output)));
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

function outcomeOf(test: NamedTest, report: Report, directory: string): Outcome {
  const found = report.tests.find(
    ({ file, name }) => file === join(directory, test.file) && name === test.name,
  );
  if (found?.state === 'passed') return { state: 'passed', isAssertion: false, message: '' };
  if (found?.state === 'failed') {
    const { name, message } = found.errors[0] ?? { name: '', message: '' };
    return { state: 'failed', isAssertion: name.startsWith('AssertionError'), message };
  }
  return didNotRun(report.otherErrors.join('\n') || `vitest ran no test of this name in ${test.file}`);
}

const didNotRun = (message: string): Outcome => ({
  state: 'did not run',
  isAssertion: false,
  message: message.slice(-2_000),
});

const escape = (text: string): string => text.replace(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`);
