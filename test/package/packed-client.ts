import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The root of the repository. */
export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What `npm pack` makes of `client/`. */
export interface PackedClient {
  /** Path of the tarball, in a directory of its own. */
  readonly tarball: string;
  /** In bytes. */
  readonly size: number;
  readonly files: readonly string[];
  remove(): Promise<void>;
}

/** Builds the client and packs it, as `npm publish` would. */
export async function packClient(): Promise<PackedClient> {
  const directory = await mkdtemp(join(tmpdir(), 'client-package-'));
  await run('npm', ['run', '--silent', 'build', '--workspace', 'client'], { cwd: repository });
  const pack = [
    'pack',
    '--workspace',
    'client',
    '--ignore-scripts',
    '--json',
    '--pack-destination',
    directory,
  ];
  const report: unknown = JSON.parse((await run('npm', pack, { cwd: repository })).stdout);
  const [packed] = report as [Packed];
  const { filename, size, files } = packed;
  return {
    tarball: join(directory, filename),
    size,
    files: files.map(({ path }) => path),
    remove: () => rm(directory, { recursive: true }),
  };
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** Installs the tarball and its dependencies from the repository's node_modules, without a registry. */
export async function unpackInto(project: string, tarball: string): Promise<string> {
  const directory = join(project, 'node_modules', 'withdrawal-account-client');
  await mkdir(directory, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', directory]);
  const manifest: unknown = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
  for (const name of Object.keys((manifest as { dependencies: object }).dependencies)) {
    await symlink(join(repository, 'node_modules', name), join(project, 'node_modules', name));
  }
  return directory;
}
