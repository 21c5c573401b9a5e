import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { registrationTransitions } from '../../wire/registration-status.ts';

it('ARCHITECTURE.md has the transitions of the code', () => {
  const text = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` +\| ((?:`[A-Z_]+`(?:, )?)+) +\|$/gm)].map(
    ([, from, to]) => [from, [...to!.matchAll(/[A-Z_]+/g)].map(([status]) => status)] as const,
  );
  const withFollowers = Object.entries(registrationTransitions).filter(([, to]) => to.length > 0);
  expect(rows).toEqual(withFollowers);
});
