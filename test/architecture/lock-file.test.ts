import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface LockedPackage {
  readonly link?: true;
  readonly resolved?: string;
  readonly integrity?: string;
}

const { packages } = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
) as { packages: Readonly<Record<string, LockedPackage>> };
/** Without the project itself and its workspaces. */
const dependencies = Object.entries(packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && !link,
);

it('the lock file has the checksum of every dependency', () => {
  expect(dependencies.length).toBeGreaterThan(200);
  const unchecked = dependencies.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  expect(unchecked.map(([path]) => path)).toEqual([]);
});

it('the lock file names no registry', () => {
  expect(dependencies.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});
