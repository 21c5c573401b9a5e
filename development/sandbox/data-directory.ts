import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../../runtime/error-code.ts';

/** What the data directory holds besides the database, the keys and the lock. */
const subdirectories = ['logs', 'processes', 'simulator'];

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

/** Node's own recursive `mkdirSync` never returns where the file system answers ENOENT, as `/proc` does. */
function createDirectory(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(directory);
  if (parent !== directory) createDirectory(parent);
  mkdirSync(directory, { mode: 0o700 });
}
