import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

it("runs the README's shell block to a registered account", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, script] = /A test runs this block[^]*?```bash\n([^]*?)```/.exec(readme)!;
  const environment = { ...process.env, URL: stack.url };
  const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', script!], {
    env: environment,
    timeout: 50_000,
  });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toEqual({ response: { code: '000_000', description: 'Success.' } });
  expect(lines[1]).toMatchObject({ authNumber: expect.stringMatching(/^\d\d$/) });
  expect(lines[2]).toMatchObject({ bankAccRegNo: expect.stringMatching(/^[0-9A-Z]{22}$/) });
});

it("runs the README's TypeScript to a registered account", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, program] = /```ts\n([^]*?)```/.exec(readme)!;
  const directory = await mkdtemp(join(tmpdir(), 'readme-'));
  const file = join(directory, 'example.mts');
  const client = new URL('../../client/index.ts', import.meta.url).href;
  const located = program!
    .replaceAll('http://localhost:3000', stack.url)
    .replace('./client/index.ts', client);
  await writeFile(file, located);
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {
    timeout: 50_000,
  });
  await rm(directory, { recursive: true });
  expect(stdout).toMatch(/show the member \d\d\n\{ status: 'BANK_ACC_REGISTERED' \}\n/);
});
