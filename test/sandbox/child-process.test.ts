import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  startChild,
  startNodeChild,
  stopRecordedProcess,
  unexpectedExit,
  UnexpectedExitError,
} from '../../development/sandbox/child-process.ts';
import type { Child } from '../../development/sandbox/child-process.ts';
import {
  isRunning,
  processIdentity,
  readProcessIdentity,
} from '../../development/sandbox/process-identity.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

const sleepForever = 'setInterval(() => {}, 1000)';

async function startScript(script: string, recordFile?: string): Promise<Child> {
  const child = await startChild({
    name: 'service',
    executable: process.execPath,
    arguments: ['-e', script],
    environment: { GREETING: 'hello' },
    logFile: join(temporaryDirectory(), 'service.log'),
    recordFile,
  });
  onTestFinished(() => child.stop(AbortSignal.abort()));
  return child;
}

test('an unexpected exit is reported with name, exit code, last log lines and log file', async () => {
  const child = await startScript(
    'for (let i = 1; i <= 30; i += 1) console.error(`line ${i};`); process.exitCode = 3',
  );

  const failure = unexpectedExit(child);

  await expect(failure).rejects.toThrow(UnexpectedExitError);
  await expect(failure).rejects.toThrow('The service exited unexpectedly with code 3.');
  await expect(failure).rejects.toThrow('line 30;');
  await expect(failure).rejects.toThrow('line 11;');
  await expect(failure).rejects.not.toThrow('line 10;');
  await expect(failure).rejects.toThrow(child.logFile);
});

test('a killed child is reported with the signal', async () => {
  const child = await startScript('process.kill(process.pid, "SIGKILL")');

  await expect(unexpectedExit(child)).rejects.toThrow('The service exited unexpectedly because of SIGKILL.');
});

test('an executable that cannot be started is an error', async () => {
  const missing = startChild({
    name: 'service',
    executable: '/nowhere/program',
    arguments: [],
    environment: {},
    logFile: join(temporaryDirectory(), 'service.log'),
  });

  await expect(missing).rejects.toThrow('ENOENT');
});

test('a child gets its own environment and only a few of the launcher’s variables', async () => {
  vi.stubEnv('SECRET_OF_THE_LAUNCHER', 'x');
  onTestFinished(() => void vi.unstubAllEnvs());
  const child = await startScript('console.log(process.env.GREETING, process.env.SECRET_OF_THE_LAUNCHER)');

  await child.exited;

  expect(readFileSync(child.logFile, 'utf8')).toBe('hello undefined\n');
});

test('a stop sends SIGTERM first, so that a child can shut down gracefully', async () => {
  const child = await startScript(`
    process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });
    console.log('up');
    ${sleepForever}
  `);
  await vi.waitUntil(() => readFileSync(child.logFile, 'utf8').includes('up'), { timeout: 10_000 });

  await child.stop();

  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(readFileSync(child.logFile, 'utf8')).toContain('bye');
});

test('a stop with an aborted signal kills a child that ignores SIGTERM', async () => {
  const child = await startScript(`process.on('SIGTERM', () => {}); console.log('up'); ${sleepForever}`);
  await vi.waitUntil(() => readFileSync(child.logFile, 'utf8').includes('up'), { timeout: 10_000 });

  await child.stop(AbortSignal.abort());

  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('an orphaned process of an earlier start is found by its record and stopped', async () => {
  const recordFile = join(temporaryDirectory(), 'service.json');
  const child = await startScript(sleepForever, recordFile);

  expect(await stopRecordedProcess(recordFile)).toBe(true);

  expect((await child.exited).signal).toBe('SIGTERM');
  expect(existsSync(recordFile)).toBe(false);
  expect(await stopRecordedProcess(recordFile)).toBe(false);
});

test('a process that only reuses a recorded process ID is left alone', async () => {
  const bystander = spawn(process.execPath, ['-e', sleepForever]);
  onTestFinished(() => void bystander.kill('SIGKILL'));
  await once(bystander, 'spawn');
  const recordFile = join(temporaryDirectory(), 'service.json');
  writeFileSync(recordFile, JSON.stringify({ pid: bystander.pid, started: 'earlier' }));

  expect(await stopRecordedProcess(recordFile)).toBe(false);

  expect(processIdentity(bystander.pid ?? 0)).toBeDefined();
});

test('a Node child exits when the launcher is killed', async () => {
  const directory = temporaryDirectory();
  const program = join(directory, 'program.ts');
  writeFileSync(
    program,
    `const interval: number = 1000; setInterval(() => {}, interval); console.log('up');`,
  );
  const recordFile = join(directory, 'child.json');
  const logFile = join(directory, 'child.log');
  const childProcess = new URL('../../development/sandbox/child-process.ts', import.meta.url).href;
  const specification = { name: 'child', file: program, environment: {}, logFile, recordFile };
  const launcher = spawn(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    `const { startNodeChild } = await import(${JSON.stringify(childProcess)});
     await startNodeChild(${JSON.stringify(specification)});`,
  ]);
  onTestFinished(() => void launcher.kill('SIGKILL'));
  await vi.waitUntil(() => existsSync(logFile) && readFileSync(logFile, 'utf8').includes('up'), {
    timeout: 20_000,
  });
  const identity = readProcessIdentity(recordFile);
  if (!identity) throw new Error('The child was not recorded.');

  launcher.kill('SIGKILL');

  await vi.waitFor(() => expect(isRunning(identity)).toBe(false), { timeout: 10_000 });
});

test('Ctrl-C does not stop a Node child, because the launcher does', async () => {
  const directory = temporaryDirectory();
  const program = join(directory, 'program.ts');
  writeFileSync(
    program,
    `setInterval(() => {}, 1000); process.on('SIGUSR2', () => console.log('alive')); console.log('up');`,
  );
  const recordFile = join(directory, 'child.json');
  const child = await startNodeChild({
    name: 'child',
    file: program,
    environment: {},
    logFile: join(directory, 'child.log'),
    recordFile,
  });
  onTestFinished(() => child.stop(AbortSignal.abort()));
  await vi.waitUntil(() => readFileSync(child.logFile, 'utf8').includes('up'), { timeout: 20_000 });
  const identity = readProcessIdentity(recordFile);
  if (!identity) throw new Error('The child was not recorded.');

  process.kill(identity.pid, 'SIGINT');
  // Delivered after SIGINT, which would have ended the child.
  process.kill(identity.pid, 'SIGUSR2');
  await vi.waitUntil(() => readFileSync(child.logFile, 'utf8').includes('alive'), { timeout: 20_000 });
  expect(isRunning(identity)).toBe(true);

  await child.stop();
  expect((await child.exited).signal).toBe('SIGTERM');
});
