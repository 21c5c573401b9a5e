import { linkSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from './error-code.ts';
import { isRunning, processIdentity, readProcessIdentity } from './process-identity.ts';

/** The right to use a data directory, held until released or until this process is gone, however it ends. */
export interface DataDirectoryLock {
  release(): void;
}

/** Another running process holds the data directory. */
export class DataDirectoryInUseError extends Error {
  override readonly name = 'DataDirectoryInUseError';

  constructor(directory: string, holder: string) {
    super(
      `The data directory ${directory} is in use by ${holder}. ` +
        'Stop that sandbox or set DATA_DIR to another directory.',
    );
  }
}

/**
 * Takes the lock on an existing data directory. Two processes on one embedded database lose data silently, so this
 * must hold against simultaneous starts too. Locks are numbered files `lock.<n>` naming their holder; the highest
 * number counts. A number is created only by one that saw the holder of the number before it gone, only once (a hard
 * link appears whole or not at all), and holds only if it is still the highest afterwards. A stale lock is therefore
 * outnumbered and never removed from under anyone.
 *
 * @throws {DataDirectoryInUseError} when a running process holds the lock
 */
export function lockDataDirectory(directory: string): DataDirectoryLock {
  const self = processIdentity(process.pid);
  if (!self) throw new Error('This process cannot be found in the list of processes.');

  const latest = latestNumber(directory);
  const holder = readProcessIdentity(lockFile(directory, latest));
  if (holder && isRunning(holder)) throw new DataDirectoryInUseError(directory, `process ${holder.pid}`);

  const own = latest + 1;
  const draft = join(directory, `lock-draft.${process.pid}`);
  writeFileSync(draft, JSON.stringify(self), { mode: 0o600 });
  try {
    linkSync(draft, lockFile(directory, own));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    throw new DataDirectoryInUseError(directory, 'another start at the same moment');
  } finally {
    rmSync(draft, { force: true });
  }
  if (latestNumber(directory) !== own) {
    rmSync(lockFile(directory, own), { force: true });
    throw new DataDirectoryInUseError(directory, 'another start at the same moment');
  }
  for (const number of lockNumbers(directory)) {
    if (number < own) rmSync(lockFile(directory, number), { force: true });
  }

  return {
    release() {
      // The file stays, without a holder, so that its number is never given again.
      writeFileSync(draft, 'null', { mode: 0o600 });
      renameSync(draft, lockFile(directory, own));
    },
  };
}

function lockFile(directory: string, number: number): string {
  return join(directory, `lock.${number}`);
}

function lockNumbers(directory: string): number[] {
  return readdirSync(directory).flatMap((name) => {
    const number = /^lock\.(\d+)$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

function latestNumber(directory: string): number {
  return Math.max(0, ...lockNumbers(directory));
}
