import { randomInt } from 'node:crypto';
import { expect, it, onTestFailed } from 'vitest';
import { processNames } from '../../development/fault-injection/plan.ts';
import { findPostgresPrograms } from '../../development/fault-injection/postgres.ts';
import { startGroup } from '../processes/process-group.ts';

/** Different faults in every run. `FAULT_SEED=7` repeats one. */
const seed = process.env['FAULT_SEED'] ?? String(randomInt(1_000_000));

const isPostgresInstalled = await findPostgresPrograms().then(
  () => true,
  () => false,
);
if (!isPostgresInstalled) {
  process.stdout.write(
    'PostgreSQL is not installed: the fault-injection run, which kills one, is skipped.\n',
  );
}

// It kills a PostgreSQL, whose programs must be installed.
it.skipIf(!isPostgresInstalled)(
  'all invariants hold while processes are killed, responses lost and callbacks disturbed',
  async () => {
    onTestFailed(() => void process.stdout.write(`FAULT_SEED=${seed}\n`));
    const run = startGroup('npm', ['run', 'chaos', '--', '--seed', seed, '--registrations', '20'], {});
    const code = await run.exited;
    expect(run.output().trimEnd()).toMatch(/\ninvariants: [1-9]\d* held, 0 broken$/);
    expect(code).toBe(0);
    for (const name of processNames) expect(run.output()).toContain(`kill -9 ${name}`);
  },
  360_000,
);

it('prints its usage for an unknown protection', async () => {
  const run = startGroup('npm', ['run', 'chaos', '--', '--without', 'luck'], {});
  expect(await run.exited).toBe(2);
  expect(run.output()).toContain('There is no protection "luck".');
  expect(run.output()).toContain('--without inquiry-before-repeat');
});
