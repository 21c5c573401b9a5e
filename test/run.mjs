import { installDependencies } from '../development/run-from-source/install-dependencies.mjs';
import { audit, check, countOutcomes, print, runVitest } from './steps.mjs';

const [first, ...others] = process.argv.slice(2);

try {
  installDependencies();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  print('0 passed, 1 failed');
  process.exit(1);
}

report(first === '--full' ? await proveInFull(others) : await proveQuickly(process.argv.slice(2)));

/** What every change must pass. Arguments go to vitest, so that `npm test -- test/wire` runs only a part. */
async function proveQuickly(vitestArguments) {
  const results = [
    await check('Types', 'npm', ['run', '--silent', 'typecheck']),
    await check('Lint', 'npm', ['run', '--silent', 'lint']),
    await check('Format', 'npx', ['--no-install', 'oxfmt', '--check']),
    await check('Unused code', 'npm', ['run', '--silent', 'unused']),
    audit(),
  ];
  const tests = await runVitest('Tests', vitestArguments);
  results.push(tests.result);
  if (vitestArguments.length === 0) {
    const words = ['--no-install', 'tsx', 'test/docs/check-documented-tests.ts', tests.report];
    results.push(await check('Documented tests', 'npx', words));
  }
  return results;
}

/** The slower tests, in addition to `npm test`. */
async function proveInFull(vitestArguments) {
  const tests = await runVitest('Full tests', [
    '--config=test/full.config.ts',
    '--passWithNoTests',
    ...vitestArguments,
  ]);
  return [
    tests.result,
    await countOutcomes('Guards', 'npm', ['run', '--silent', 'guards'], /UNPROVEN +(\S+)$/),
    await countOutcomes(
      'Faults',
      'npm',
      ['run', '--silent', 'chaos', '--', '--registrations', '300'],
      /^(.+?) *\| +\d+ \| +[1-9]\d*$/,
    ),
  ];
}

function report(results) {
  print('\n=== Summary');
  for (const { name, passed, failed, skipped = 0, remark, failures = [] } of results) {
    const note = remark ?? (skipped > 0 ? `${skipped} skipped` : '');
    const line = `${name.padEnd(16)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed  ${note}`;
    print(line.trimEnd());
    for (const failure of failures) print(`    failed: ${failure}`);
  }
  const sum = (key) => results.reduce((subtotal, result) => subtotal + (result[key] ?? 0), 0);
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
  print(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed > 0 ? 1 : 0;
}
