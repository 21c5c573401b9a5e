import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'withdrawal-account-registration',
);

/** What a command says where the registry or the command itself is missing. Any other failure is one of the test. */
const missing = /ENOENT|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|from versions: none|ensurepip/;

/**
 * Installs tools into the user's cache, outside the repository, unless they are there.
 * @throws if it fails for another reason than a missing registry or command
 * @param name of the directory, with the versions of all tools
 * @param commands run one after another in the directory
 * @param skip called with what is missing
 * @returns the directory
 */
export async function installOnce(
  name: string,
  commands: readonly (readonly [command: string, ...words: string[]])[],
  skip: (problem: string) => never,
): Promise<string> {
  const directory = join(cache, name);
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    for (const [command, ...words] of commands) await run(command, words, { cwd: unfinished });
    await rename(unfinished, directory);
    return directory;
  } catch (error) {
    await rm(unfinished, { recursive: true });
    const [reason] = missing.exec(String(error)) ?? [];
    if (reason === undefined) throw error;
    const problem = `${name} cannot be installed here: ${reason}`;
    process.stderr.write(`SKIPPED: ${problem}\n`);
    return skip(problem);
  }
}
