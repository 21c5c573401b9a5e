import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDataDirectory, restrictDataDirectory } from '../../development/sandbox/data-directory.ts';
import { startGroup } from '../processes/process-group.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

test('a data directory is created with all its parents, for its owner only', () => {
  const directory = join(temporaryDirectory(), 'parent', 'data');

  createDataDirectory(directory);
  createDataDirectory(directory);

  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, 'logs')).isDirectory()).toBe(true);
});

test('a data directory that others may read, and what the sandbox wrote there, is taken from them', () => {
  const directory = join(temporaryDirectory(), 'data');
  createDataDirectory(directory);
  const modeOf = (name: string) => statSync(join(directory, name)).mode & 0o777;
  mkdirSync(join(directory, 'database', 'base'), { recursive: true });
  const files = ['secrets.json', 'temporal.db-wal', 'lock.1', 'logs/service.log', 'database/base/1'];
  for (const file of [...files, 'of-somebody-else']) writeFileSync(join(directory, file), '');
  for (const name of [...files, 'of-somebody-else']) chmodSync(join(directory, name), 0o666);
  for (const name of ['.', 'logs', 'database', 'database/base']) chmodSync(join(directory, name), 0o777);
  symlinkSync(join(directory, 'of-somebody-else'), join(directory, 'logs', 'link'));

  restrictDataDirectory(directory);

  for (const name of ['.', 'logs', 'database', 'database/base'])
    expect([name, modeOf(name)]).toEqual([name, 0o700]);
  for (const file of files) expect([file, modeOf(file)]).toEqual([file, 0o600]);
  expect(modeOf('of-somebody-else')).toBe(0o666);
});

test.each<[problem: string, prepare: (directory: string) => void]>([
  ['is a file', (directory: string) => writeFileSync(directory, '')],
  ['has a file where a subdirectory belongs', withFileInsteadOfLogs],
  ...(process.getuid?.() === 0
    ? []
    : [['is read-only', withoutWritePermission] as [string, (directory: string) => void]]),
])('a data directory that %s is refused', (_, prepare) => {
  const directory = join(temporaryDirectory(), 'data');
  prepare(directory);

  expect(() => createDataDirectory(directory)).toThrow(
    `The data directory ${directory} cannot be created or written to: `,
  );
});

// Only /proc refuses a directory to root too, and only Linux has it.
test.skipIf(!existsSync('/proc/self'))(
  '`npm start` names a DATA_DIR that cannot be created',
  async () => {
    const start = startGroup('npm', ['start'], { DATA_DIR: '/proc/nowhere/data' });

    expect(await start.exited).toBe(1);
    expect(start.output()).toContain(
      'The data directory /proc/nowhere/data cannot be created or written to: ENOENT',
    );
    expect(start.output()).toContain('Set DATA_DIR to another directory.');
  },
  60_000,
);

function withFileInsteadOfLogs(directory: string): void {
  mkdirSync(directory);
  writeFileSync(join(directory, 'logs'), '');
}

function withoutWritePermission(directory: string): void {
  createDataDirectory(directory);
  chmodSync(directory, 0o500);
}
