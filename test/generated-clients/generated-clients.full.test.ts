import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { installOnce } from './cached-install.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const openapiDocument = join(repository, 'openapi.json');
const registered = /^Show the member \d\d\nBANK_ACC_REGISTERED 000_000\n$/;

let stack: Stack;
let directory: string;
let page: string;
beforeAll(async () => {
  stack = await startStack();
  directory = await mkdtemp(join(tmpdir(), 'generated-clients-'));
  page = await readFile(join(repository, 'docs/generated-clients.md'), 'utf8');
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await stack.close();
});

/** The version of a tool that the page tells its readers to install. */
function versionOf(tool: string): string {
  return new RegExp(`(?<![\\w-])${tool}[@=]=?([\\d.]+)`).exec(page)![1]!;
}

/** Writes the program of the page for this stack. @returns its path */
async function writeProgram(language: 'python' | 'ts', name: string): Promise<string> {
  const [, program] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)!;
  const file = join(directory, name);
  await writeFile(file, program!.replaceAll('http://localhost:3000', stack.url));
  return file;
}

test('a generated Python client registers an account with a signing hook', async ({ skip }) => {
  const generator = `openapi-python-client==${versionOf('openapi-python-client')}`;
  const tools = await installOnce(
    generator.replace('==', '-'),
    [
      ['python3', '-m', 'venv', '.'],
      ['bin/python', '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', generator],
    ],
    skip,
  );
  const python = join(tools, 'bin/python');
  const generate = ['generate', '--path', openapiDocument, '--meta', 'none', '--output-path', 'km_api'];
  const generated = await run(python, ['-m', 'openapi_python_client', ...generate], {
    cwd: directory,
    // It formats what it has written with ruff, which is installed beside it.
    env: { ...process.env, PATH: `${join(tools, 'bin')}:${process.env['PATH']}` },
  });
  expect(generated.stdout + generated.stderr).not.toMatch(/warning|error/i);

  const program = await writeProgram('python', 'register.py');
  const { stdout } = await run(python, [program], { cwd: directory });
  expect(stdout).toMatch(registered);
}, 600_000);

test('a generated TypeScript client is strictly typed and registers an account', async ({ skip }) => {
  const packages = ['openapi-fetch', 'openapi-typescript', 'typescript'].map(
    (name) => `${name}@${versionOf(name)}`,
  );
  const tools = await installOnce(
    packages.join('-'),
    [['npm', 'install', '--no-audit', '--no-fund', ...packages]],
    skip,
  );
  const modules = join(tools, 'node_modules');
  await symlink(modules, join(directory, 'node_modules'));
  await run(join(modules, '.bin/openapi-typescript'), [openapiDocument, '--output', 'km-api.d.ts'], {
    cwd: directory,
  });

  const program = await writeProgram('ts', 'register.mts');
  const strict = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes', '--noEmit'];
  const types = ['--types', 'node', '--typeRoots', join(repository, 'node_modules/@types')];
  const modern = ['--module', 'nodenext', '--target', 'es2022'];
  await run(join(modules, '.bin/tsc'), [...strict, ...types, ...modern, program], { cwd: directory });

  const { stdout } = await run(process.execPath, ['--import', import.meta.resolve('tsx'), program], {
    cwd: directory,
  });
  expect(stdout).toMatch(registered);
}, 600_000);
