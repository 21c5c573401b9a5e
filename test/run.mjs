import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from '../development/sandbox/install-dependencies.mjs';
import { auditDependencies } from './audit.mjs';

const projectDirectory = fileURLToPath(new URL('..', import.meta.url));

try {
  installDependencies();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  print('0 passed, 1 failed');
  process.exit(1);
}

const results = [
  check('Types', 'npm', ['run', '--silent', 'typecheck']),
  check('Lint', 'npm', ['run', '--silent', 'lint']),
  check('Format', 'npx', ['--no-install', 'oxfmt', '--check']),
  check('Unused code', 'npm', ['run', '--silent', 'unused']),
  audit(),
  runTests(process.argv.slice(2)),
];

print('\n=== Summary');
for (const { name, passed, failed, skipped, remark } of results) {
  const note = remark ?? (skipped > 0 ? `  ${skipped} skipped` : '');
  print(
    `${name.padEnd(12)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed${note}`,
  );
}
const total = sumUp(results);
print(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
);
process.exitCode = total.failed > 0 ? 1 : 0;

/** A static check counts as one test. */
function check(name, command, commandArguments) {
  const succeeded = run(name, command, commandArguments);
  return { name, passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 };
}

/** Counts for nothing where the registry does not answer: neither was anything found, nor is all well. */
function audit() {
  const name = 'Audit';
  print(`\n=== ${name}`);
  const { outcome, text } = auditDependencies();
  if (outcome === 'unavailable') {
    print(`Not carried out: the registry does not answer audits (${text}).`);
    return { name, passed: 0, failed: 0, skipped: 0, remark: '  not carried out' };
  }
  print(text);
  const isClean = outcome === 'clean';
  return { name, passed: isClean ? 1 : 0, failed: isClean ? 0 : 1, skipped: 0 };
}

function runTests(vitestArguments) {
  const directory = mkdtempSync(join(tmpdir(), 'test-results-'));
  const report = join(directory, 'vitest.json');
  try {
    const succeeded = run('Tests', 'npx', [
      '--no-install',
      'vitest',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...vitestArguments,
    ]);
    return { name: 'Tests', ...countTests(report, succeeded) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function countTests(report, succeeded) {
  let outcome;
  try {
    outcome = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    print('vitest left no report.');
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const passed = outcome.numPassedTests;
  const skipped = outcome.numPendingTests + outcome.numTodoTests;
  // A file that cannot be loaded has no tests to count.
  const brokenFiles = outcome.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  ).length;
  const failed = outcome.numFailedTests + brokenFiles;
  if (failed === 0 && !succeeded) print('vitest failed outside of any test; see above.');
  if (passed + failed === 0) print('No tests ran.');
  const failedOtherwise = failed === 0 && (!succeeded || passed === 0);
  return { passed, failed: failedOtherwise ? 1 : failed, skipped };
}

function sumUp(outcomes) {
  const sum = (key) => outcomes.reduce((subtotal, outcome) => subtotal + outcome[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

function run(name, command, commandArguments) {
  print(`\n=== ${name}`);
  const { status, error } = spawnSync(command, commandArguments, { cwd: projectDirectory, stdio: 'inherit' });
  if (error) print(`${command} could not be started: ${error.message}`);
  return status === 0;
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
