import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packClient, unpackInto } from './packed-client.ts';
import type { PackedClient } from './packed-client.ts';

const run = promisify(execFile);
let packed: PackedClient;
let project: string;
let installed: string;

beforeAll(async () => {
  packed = await packClient();
  project = await mkdtemp(join(tmpdir(), 'client-user-'));
  installed = await unpackInto(project, packed.tarball);
});
afterAll(async () => {
  await rm(project, { recursive: true });
  await packed.remove();
});

it('packs at most 20 files and 1 MB, the licence and the type declarations among them', () => {
  expect(packed.files).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts', 'dist/km.js']),
  );
  expect(packed.files.length).toBeLessThanOrEqual(20);
  expect(packed.size).toBeLessThan(1_000_000);
});

it('is imported by name', async () => {
  const script =
    "const km = await import('withdrawal-account-client'); console.log(typeof km.createKmClient)";
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
  expect(stdout).toBe('function\n');
});

it('brings the command km', async () => {
  const { stdout } = await run(process.execPath, [join(installed, 'dist/km.js'), '--help']);
  expect(stdout).toContain('km register --user 10000000001 --bank 003 --account 11012345678');
});
