import { linkSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../runtime/error-code.ts';
import { isRunning, processIdentity, readProcessIdentity } from './process-identity.ts';

/** The exclusive right to use a data directory. It ends with `release()` or with this process, however that exits. */
export interface DataDirectoryLock {
  release(): void;
}

/** Another running process holds the lock. */
export class DataDirectoryInUseError extends Error {
  override readonly name = 'DataDirectoryInUseError';

  constructor(directory: string, holder: string) {
    super(
      `The data directory ${directory} is in use by ${holder}. ` +
        'Stop that sandbox, or set DATA_DIR to another directory.',
    );
  }
}

/**
 * Locks an existing data directory. Two processes on one embedded database lose data silently, so simultaneous starts
 * must exclude each other too. Locks are files `lock.<number>` that name their holder; the highest number counts.
 * A start creates the next number only after it has seen that the current holder is gone. A hard link makes sure that
 * only one start can create a number, and that the file is complete. The lock is valid only if its number is still the
 * highest afterwards. A stale lock is thus superseded, and no start ever deletes a lock that another may hold.
 *
 * @throws {DataDirectoryInUseError} when a running process holds the lock
 */
export function lockDataDirectory(directory: string): DataDirectoryLock {
  const self = processIdentity(process.pid);
  if (!self) throw new Error('This process is not in the process list.');

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
    throw new DataDirectoryInUseError(directory, 'another sandbox that is starting');
  } finally {
    rmSync(draft, { force: true });
  }
  if (latestNumber(directory) !== own) {
    rmSync(lockFile(directory, own), { force: true });
    throw new DataDirectoryInUseError(directory, 'another sandbox that is starting');
  }
  for (const number of lockNumbers(directory)) {
    if (number < own) rmSync(lockFile(directory, number), { force: true });
  }

  return {
    release() {
      // The file stays without a holder, so that its number is never reused.
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
