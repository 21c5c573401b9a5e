import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserGlobals } from '../fixtures/browser-globals.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { packClient, repository } from './packed-client.ts';
import type { PackedClient } from './packed-client.ts';

const nodeVersions = ['20', '22', '24'] as const;

let stack: Stack;
let packed: PackedClient;
/** An empty project with the client installed. */
let project: string;
/** Has each version of Node as `node_modules/node<version>`. */
let runtimes: string;
/** The README's ten lines, calling the stack. */
let example: string;

const run = (program: string, words: readonly string[]) =>
  promisify(execFile)(program, words, { cwd: project, timeout: 60_000 });
const nodeProgram = (version: string) => join(runtimes, 'node_modules', `node${version}`, 'bin', 'node');

async function installInto(directory: string, ...packages: readonly string[]): Promise<void> {
  await writeFile(join(directory, 'package.json'), '{ "type": "module", "private": true }');
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await promisify(execFile)('npm', ['install', ...flags, ...packages], { cwd: directory });
}

beforeAll(async () => {
  packed = await packClient();
  project = await mkdtemp(join(tmpdir(), 'client-user-'));
  await installInto(project, packed.tarball);
  runtimes = await mkdtemp(join(tmpdir(), 'node-versions-'));
  // The packages that the package `node` chooses from.
  const runtime = `node-${process.platform}-${process.arch}`;
  await installInto(runtimes, ...nodeVersions.map((version) => `node${version}@npm:${runtime}@${version}`));
  stack = await startStack();
  const readme = await readFile(new URL('../../client/README.md', import.meta.url), 'utf8');
  const [, program = ''] = /```ts\n([^]*?)```/.exec(readme)!;
  example = program.replaceAll('http://localhost:3000', stack.url);
}, 600_000);
afterAll(async () => {
  await stack?.close();
  await packed?.remove();
  for (const directory of [project, runtimes]) await rm(directory, { recursive: true, force: true });
});

it('installs nothing but the client and its three dependencies', async () => {
  const names = await readdir(join(project, 'node_modules'));
  expect(names.filter((name) => !name.startsWith('.'))).toEqual([
    'jose',
    'lossless-json',
    'withdrawal-account-client',
    'zod',
  ]);
});

describe.for(nodeVersions)('on Node %s', (version) => {
  it("runs the README's ten lines to a registered account", async () => {
    expect((await run(nodeProgram(version), ['--version'])).stdout).toMatch(`v${version}.`);
    await writeFile(join(project, 'example.js'), example);
    const { stdout } = await run(nodeProgram(version), ['example.js']);
    expect(stdout).toMatch(/^Show the member \d\d\.\nBANK_ACC_REGISTERED\n$/);
  });

  it('runs km', async () => {
    const words = ['node_modules/.bin/km', 'institutions', '--url', stack.url];
    expect((await run(nodeProgram(version), words)).stdout).toContain('003  IBK  기업은행\n');
    expect((await run(nodeProgram(version), ['node_modules/.bin/km', '--help'])).stdout).toContain(
      'km register --user',
    );
  });
});

const typedProgram = `
import { createKmClient, KmRefusal, verifyNotification } from 'withdrawal-account-client';
import type { KmClientOptions, RegistrationResult, ResultNotification } from 'withdrawal-account-client';

export async function register(options: KmClientOptions, signal: AbortSignal): Promise<string | undefined> {
  const km = createKmClient(options);
  const account = { bankAccount: '11012345678', bankCode: '003', bankName: 'IBK' };
  const holder = { userId: 10000000001n, userName: '김하늘', birthDate: '19900131' };
  const { bankAccRegNo, authNumber } = await km.register({ ...holder, ...account }, { signal });
  const shown: string | undefined = authNumber;
  const result: RegistrationResult = await km.waitUntilDone(bankAccRegNo);
  // @ts-expect-error only a failure has a code
  result.code;
  return result.status === 'BANK_ACC_REGISTERED' ? shown : result.code;
}

export async function receive(request: Request, secretKey: string, clientPrivateKey: string): Promise<number> {
  const body = new Uint8Array(await request.arrayBuffer());
  const { headers } = request;
  const result: ResultNotification = await verifyNotification({ headers, body, secretKey, clientPrivateKey });
  return result.sequence;
}

export const isRetryable = (error: unknown): boolean => error instanceof KmRefusal && error.retryable;

// @ts-expect-error a member has an ID
export const incomplete = (options: KmClientOptions) => createKmClient(options).issueArsCode({});
`;

it.for([
  ['of browsers', { lib: ['ES2023', 'DOM'], types: [] }, ['typed.ts', 'example.ts']],
  // There `fetch` answers `unknown`, which the README's example does not check.
  [
    'of Node',
    { lib: ['ES2023'], types: ['node'], typeRoots: [join(repository, 'node_modules/@types')] },
    ['typed.ts'],
  ],
] as const)(
  'is typed for strict TypeScript with nodenext and the globals %s',
  async ([, environment, files]) => {
    const compilerOptions = {
      target: 'ES2023',
      module: 'nodenext',
      moduleResolution: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      ...environment,
    };
    await writeFile(join(project, 'typed.ts'), typedProgram);
    await writeFile(join(project, 'example.ts'), example);
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const compiler = join(repository, 'node_modules/typescript/bin/tsc');
    const result = await run(process.execPath, [compiler, '--project', '.']).catch((error: unknown) => error);
    expect(result).toMatchObject({ stdout: '', stderr: '' });
  },
);

it('is bundled for browsers without Node.js modules, and works there', async () => {
  await writeFile(join(project, 'page.js'), "export { createKmClient } from 'withdrawal-account-client';");
  const { outputFiles, metafile } = await build({
    entryPoints: [join(project, 'page.js')],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'client',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
  const { aspId, accessKey, secretKey } = stack.projects[0];
  const browser = createContext({
    ...browserGlobals,
    options: { baseUrl: `${stack.url}/open-api`, aspId, accessKey, secretKey },
  });
  const code = `${outputFiles[0]!.text}; client.createKmClient(options).institutions()`;
  const answer: unknown = await runInContext(code, browser);
  expect(answer).toMatchObject({
    institutions: expect.arrayContaining([
      { bankCode: '003', bankName: 'IBK', bankNameKo: '기업은행', bankNameEn: 'IBK' },
    ]),
  });
});
