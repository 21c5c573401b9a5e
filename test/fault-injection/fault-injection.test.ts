import { expect, it } from 'vitest';
import { startGroup } from '../processes/process-group.ts';

it('prints its usage for an unknown protection', async () => {
  const run = startGroup('npm', ['run', 'chaos', '--', '--without', 'luck'], {});
  expect(await run.exited).toBe(2);
  expect(run.output()).toContain('There is no protection "luck".');
  expect(run.output()).toContain('--without inquiry-before-repeat');
});
