import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

const { scripts } = JSON.parse(readFileSync(join(projectDirectory, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
/** These read the lock file only. `test/audit.test.ts` runs the audit without any dependency. */
const needNothing = ['audit', 'sbom'];

/** What a script needs before its dependencies are there: a clone without TypeScript and without node_modules. */
function freshClone(): string {
  const clone = temporaryDirectory();
  const files = ['package.json', 'package-lock.json', '*.mjs'];
  const paths = execFileSync('git', ['ls-files', '--', ...files], {
    cwd: projectDirectory,
    encoding: 'utf8',
  });
  for (const path of paths.trim().split('\n')) cpSync(join(projectDirectory, path), join(clone, path));
  return clone;
}

it.each(Object.keys(scripts).filter((name) => !needNothing.includes(name)))(
  'on a fresh clone, npm run %s installs the dependencies first',
  (name) => {
    const clone = freshClone();
    writeFileSync(join(clone, 'npm'), '#!/bin/sh\necho "npm $1 cannot install"\nexit 1\n', { mode: 0o755 });

    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', scripts[name]!], {
      cwd: clone,
      env: { PATH: [clone, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter) },
      encoding: 'utf8',
    });

    expect(stdout).toMatch(/^Installing the dependencies .*\nnpm ci cannot install\n/);
    expect(stderr).toBe('`npm ci` failed. The reason is above.\n');
    expect(status).toBe(1);
  },
);

it('on a fresh clone, npm run sbom lists the dependencies', () => {
  const output = execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: freshClone(), encoding: 'utf8' });

  const { components } = JSON.parse(output) as { components: readonly { readonly name: string }[] };
  expect(components.map(({ name }) => name)).toContain('hono');
});
