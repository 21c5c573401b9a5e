import { accessSync, chmodSync, constants, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../../runtime/error-code.ts';

/** What the data directory holds besides the database, the keys and the lock. */
const subdirectories = ['logs', 'processes', 'simulator'];

/** What the sandbox writes there. Somebody else's files in the same directory are left alone. */
const ownEntry =
  /^(database|logs|processes|simulator|credentials\.json.*|secrets\.json.*|temporal\.db.*|lock\..*)$/;

/** The data directory cannot be created or written to. */
export class DataDirectoryUnusableError extends Error {
  override readonly name = 'DataDirectoryUnusableError';

  constructor(directory: string, cause: Error) {
    super(
      `The data directory ${directory} cannot be created or written to: ${cause.message}. ` +
        'Set DATA_DIR to another directory.',
      { cause },
    );
  }
}

/**
 * Creates the data directory and its subdirectories where they are missing, accessible to their owner only.
 *
 * @throws {DataDirectoryUnusableError} when it cannot be created or written to
 */
export function createDataDirectory(directory: string): void {
  try {
    createDirectory(directory);
    accessSync(directory, constants.W_OK | constants.X_OK);
    for (const name of subdirectories) createDirectory(join(directory, name));
  } catch (error) {
    if (!(error instanceof Error) || errorCode(error) === undefined) throw error;
    throw new DataDirectoryUnusableError(directory, error);
  }
}

/**
 * Makes the data directory and what the sandbox has written there accessible to their owner only, whatever they were before.
 * To be called while nothing runs that uses it. Throws when they belong to somebody else.
 */
export function restrictDataDirectory(directory: string): void {
  chmodSync(directory, 0o700);
  for (const name of readdirSync(directory)) if (ownEntry.test(name)) restrict(join(directory, name));
}

/** Makes a file, or a directory and all in it, accessible to the owner only. What symbolic links lead to is not changed. */
export function restrict(path: string): void {
  const entry = lstatSync(path);
  if (entry.isDirectory()) {
    chmodSync(path, 0o700);
    for (const name of readdirSync(path)) restrict(join(path, name));
  } else if (entry.isFile()) {
    chmodSync(path, 0o600);
  }
}

/** Node's own recursive `mkdirSync` never returns where the file system answers ENOENT, as `/proc` does. */
function createDirectory(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(directory);
  if (parent !== directory) createDirectory(parent);
  mkdirSync(directory, { mode: 0o700 });
}
