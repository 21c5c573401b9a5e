import { mkdir } from 'node:fs/promises';
import { errorCode } from '../runtime/error-code.ts';
import { Refused } from './refused.ts';

/** Creates a directory that only its owner can read. @throws {Refused} when it exists or cannot be created */
export async function createDirectory(directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
    const code = errorCode(error) ?? 'unknown';
    throw new Refused(
      `${directory} cannot be created (${code}). Name a new directory in an existing one; nothing is overwritten.`,
      { cause: error },
    );
  });
}
