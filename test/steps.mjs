import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { auditDependencies } from './audit.mjs';

const projectDirectory = fileURLToPath(new URL('..', import.meta.url));

export function print(line) {
  process.stdout.write(`${line}\n`);
}

/** Runs a command that passes or fails as a whole. */
export async function check(name, command, commandArguments) {
  const { succeeded } = await run(name, command, commandArguments);
  return { name, passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1 };
}

/**
 * Runs a command whose last line counts, as in `guards: 60 proven, 0 unproven`: first what passed, then what failed.
 * @param failure matches a line of its output that names what failed
 */
export async function countOutcomes(name, command, commandArguments, failure) {
  const { succeeded, lines } = await run(name, command, commandArguments, { capture: true });
  const [, passed, failed] = /: (\d+) \w+, (\d+) \w+$/.exec(lines.at(-1)) ?? [];
  const isFailedOtherwise = !succeeded && !(Number(failed) > 0);
  return {
    name,
    passed: Number(passed ?? 0),
    failed: isFailedOtherwise ? 1 : Number(failed ?? 0),
    failures: lines.flatMap((line) => failure.exec(line)?.[1] ?? []),
  };
}

/** Skipped where the registry does not answer audits. */
export function audit() {
  const name = 'Audit';
  print(`\n=== ${name}`);
  const { outcome, text } = auditDependencies();
  if (outcome === 'unavailable') {
    print(`NOT CARRIED OUT: the registry does not answer audits (${text}).`);
    return { name, passed: 0, failed: 0, skipped: 1, remark: '1 skipped: NOT CARRIED OUT' };
  }
  print(text);
  const isClean = outcome === 'clean';
  return { name, passed: isClean ? 1 : 0, failed: isClean ? 0 : 1 };
}

/** Runs vitest. `report` is the file that its JSON reporter wrote; it is removed when this process ends. */
export async function runVitest(name, vitestArguments) {
  const directory = mkdtempSync(join(tmpdir(), 'test-results-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const report = join(directory, 'vitest.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const words = ['--no-install', 'vitest', 'run', ...reporters, ...vitestArguments];
  const { succeeded } = await run(name, 'npx', words);
  return { report, result: { name, ...countTests(readJson(report), succeeded, vitestArguments) } };
}

function countTests(report, succeeded, vitestArguments) {
  if (!report) {
    // Without a single test file, vitest writes no report.
    if (succeeded && vitestArguments.includes('--passWithNoTests')) return { passed: 0, failed: 0 };
    print('vitest left no report.');
    return { passed: 0, failed: 1 };
  }
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  // A file that cannot be loaded has no tests to count.
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  const failures = report.testResults.filter(({ status }) => status === 'failed').flatMap(namesOfFailures);
  if (failed === 0 && !succeeded) print('vitest failed outside of any test; see above.');
  return { passed, failed: failed === 0 && !succeeded ? 1 : failed, skipped, failures };
}

function namesOfFailures({ name, assertionResults }) {
  const file = relative(projectDirectory, name);
  const failed = assertionResults.filter(({ status }) => status === 'failed');
  return failed.length === 0 ? [file] : failed.map(({ fullName }) => `${file} › ${fullName}`);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Runs a command, showing its output. `lines` are those of its output where `capture` asks for them. */
async function run(name, command, commandArguments, { capture = false } = {}) {
  print(`\n=== ${name}`);
  const child = spawn(command, commandArguments, {
    cwd: projectDirectory,
    stdio: ['inherit', capture ? 'pipe' : 'inherit', 'inherit'],
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text);
    output += text;
  });
  const code = await once(child, 'close').then(
    ([exitCode]) => exitCode,
    (error) => print(`${command} could not be started: ${error.message}`),
  );
  return { succeeded: code === 0, lines: output.trimEnd().split('\n') };
}
