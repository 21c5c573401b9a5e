import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { startGroup } from '../processes/process-group.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

const installer = join('development', 'run-from-source', 'install-dependencies.mjs');

/** A clone with one dependency, about which npm warns because of the Node.js version it asks for. */
function cloneWithWarning(requiredNode = '>=20.0'): string {
  const clone = temporaryDirectory();
  const dependency = { name: 'dependency', version: '1.0.0', engines: { node: '>=999' } };
  const project = { name: 'clone', version: '1.0.0', engines: { node: requiredNode } };
  const dependencies = { dependency: 'file:dependency' };
  const packages = {
    '': { ...project, dependencies },
    dependency,
    'node_modules/dependency': { resolved: 'dependency', link: true },
  };
  const files = {
    'package.json': { ...project, type: 'module', dependencies },
    'package-lock.json': { ...project, lockfileVersion: 3, requires: true, packages },
    'dependency/package.json': dependency,
  };
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    writeFileSync(join(clone, file), JSON.stringify(content));
  }
  cpSync(join(projectDirectory, installer), join(clone, installer));
  return clone;
}

function install(clone: string) {
  const script = `import { installDependencies } from ${JSON.stringify(join(clone, installer))};
    try { installDependencies(); } catch (error) { console.error(error.message); process.exitCode = 1; }`;
  return startGroup(process.execPath, ['--input-type=module', '-e', script], {});
}

test('a clone without dependencies installs them, says so, and is spared npm’s warnings', async () => {
  const clone = cloneWithWarning();

  const first = install(clone);
  expect(await first.exited).toBe(0);
  expect(first.output()).toMatch(/^Installing the dependencies in package-lock.json with `npm ci` \.\.\.\n/);
  expect(first.output()).toContain('added 1 package');
  expect(first.output()).not.toContain('warn');

  const second = install(clone);
  expect(await second.exited).toBe(0);
  expect(second.output()).toBe('');
}, 60_000);

test('a failed installation shows npm’s reason', async () => {
  const clone = cloneWithWarning();
  writeFileSync(
    join(clone, 'package.json'),
    '{"engines":{"node":">=20.0"},"dependencies":{"another":"1.0.0"}}',
  );

  const installation = install(clone);

  expect(await installation.exited).toBe(1);
  expect(installation.output()).toContain('npm error');
  expect(installation.output()).toContain('`npm ci` failed. The reason is above.');
}, 60_000);

test('a Node.js that is too old is refused before anything is installed', async () => {
  const installation = install(cloneWithWarning('>=999.0'));

  expect(await installation.exited).toBe(1);
  expect(installation.output()).toBe(
    `Node.js 999.0 or later is required; this is ${process.versions.node}.\n`,
  );
});
