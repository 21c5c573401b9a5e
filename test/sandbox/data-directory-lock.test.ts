import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DataDirectoryInUseError, lockDataDirectory } from '../../development/sandbox/data-directory-lock.ts';
import { processIdentity } from '../../development/sandbox/process-identity.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

test('a second lock is refused until the first one is released', () => {
  const directory = temporaryDirectory();
  const lock = lockDataDirectory(directory);

  expect(() => lockDataDirectory(directory)).toThrow(DataDirectoryInUseError);
  expect(() => lockDataDirectory(directory)).toThrow(`in use by process ${process.pid}`);

  lock.release();
  lockDataDirectory(directory);
  expect(readdirSync(directory)).toEqual(['lock.2']);
});

test('the lock of another process holds until that process is killed', async () => {
  const directory = temporaryDirectory();
  const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder, 'spawn');
  writeFileSync(join(directory, 'lock.7'), JSON.stringify(processIdentity(holder.pid ?? 0)));

  expect(() => lockDataDirectory(directory)).toThrow(`in use by process ${holder.pid}`);

  holder.kill('SIGKILL');
  await once(holder, 'exit');
  lockDataDirectory(directory);
  expect(readdirSync(directory)).toEqual(['lock.8']);
});

test('a lock is stale when its process ID now belongs to another process', () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'lock.1'), JSON.stringify({ pid: process.pid, started: 'earlier' }));

  lockDataDirectory(directory);

  expect(readdirSync(directory)).toEqual(['lock.2']);
});

test('of several processes that start at once over a stale lock, exactly one gets the lock', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'lock.1'), JSON.stringify({ pid: 1, started: 'earlier' }));
  const script = `
    const { lockDataDirectory } = await import(${JSON.stringify(
      new URL('../../development/sandbox/data-directory-lock.ts', import.meta.url).href,
    )});
    console.log('loaded');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    try { lockDataDirectory(${JSON.stringify(directory)}); console.log('held'); } catch { console.log('refused'); }
  `;
  const contenders = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]),
  );
  onTestFinished(() => contenders.forEach((contender) => contender.kill('SIGKILL')));

  const nextLines = () =>
    Promise.all(
      contenders.map(async ({ stdout }) => {
        const [chunk]: unknown[] = await once(stdout, 'data');
        return String(chunk).trim();
      }),
    );
  await nextLines();
  const answering = nextLines();
  for (const { stdin } of contenders) stdin.write('go');
  const answers = await answering;

  expect(answers.toSorted()).toEqual(['held', ...Array.from({ length: 5 }, () => 'refused')]);
});
