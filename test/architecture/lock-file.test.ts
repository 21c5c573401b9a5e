import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface LockedPackage {
  readonly link?: true;
  readonly resolved?: string;
  readonly integrity?: string;
  /** For development, and optional in production, so `--omit=dev` installs it. */
  readonly devOptional?: true;
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

it('npm ci --omit=dev installs nothing that is for development', () => {
  expect(dependencies.filter(([, { devOptional }]) => devOptional).map(([path]) => path)).toEqual([]);
});

it('every package has the peers it asks for', () => {
  const command = ['ls', '--all', '--package-lock-only', '--legacy-peer-deps=false', '--loglevel=error'];
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const { status, stderr } = spawnSync('npm', command, { cwd, maxBuffer: 2 ** 26, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
