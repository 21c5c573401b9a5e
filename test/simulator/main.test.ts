import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { eventually, recordOf, sharedSecret, signed } from './simulator-fixture.ts';
import { portOf } from './callback-receiver.ts';

const directory = mkdtempSync(join(tmpdir(), 'simulator-'));
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Run {
  child: ChildProcess;
  output: () => string;
  exit: Promise<number | null>;
}

function run(variables: Record<string, string>): Run {
  const child = spawn(process.execPath, ['--import', 'tsx', 'development/simulator/main.ts'], {
    env: { PATH: process.env['PATH'], ...variables },
  });
  started.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { child, output: () => output, exit };
}

const settings = {
  PG_SIMULATOR_PORT: '0',
  PG_SIMULATOR_DATA_DIR: directory,
  PG_SHARED_SECRET: sharedSecret,
};

async function listening({ output }: Run): Promise<string> {
  const port = await eventually(() => /"port":(\d+)/.exec(output())?.[1], 20_000);
  return `http://127.0.0.1:${port}`;
}

it('names every invalid variable, and repeats no value', async () => {
  const { exit, output } = run({ PG_SIMULATOR_PORT: 'eighty', PG_SHARED_SECRET: 'too-short' });
  expect(await exit).toBe(1);
  expect(output()).toContain('PG_SIMULATOR_PORT must be a port number');
  expect(output()).toContain('PG_SIMULATOR_DATA_DIR must be set');
  expect(output()).toContain('PG_SHARED_SECRET must have at least 16 characters each');
  expect(output()).not.toMatch(/eighty|too-short/);
});

it('names the variable to change when its port is in use', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const port = portOf(other);
  const { exit, output } = run({ ...settings, PG_SIMULATOR_PORT: String(port) });
  expect(await exit).toBe(1);
  expect(output()).toContain(`Port ${port} is in use. Set PG_SIMULATOR_PORT to a free port.`);
  other.close();
});

// Only /proc refuses a directory to root too, and only Linux has it.
it.skipIf(!existsSync('/proc/self'))('names a data directory that cannot be created', async () => {
  const { exit, output } = run({ ...settings, PG_SIMULATOR_DATA_DIR: '/proc/nowhere/data' });
  expect(await exit).toBe(1);
  expect(output()).toContain('PG_SIMULATOR_DATA_DIR cannot be used: Error: ENOENT');
});

it.each(['SIGTERM', 'SIGINT'] as const)('stops cleanly on %s', async (signal) => {
  const simulator = run(settings);
  const url = await listening(simulator);
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  simulator.child.kill(signal);
  expect(await simulator.exit).toBe(0);
});

it('still has after kill -9 what it acknowledged before', async () => {
  const path = '/v1/ars-calls';
  const call = {
    reference: 'killed',
    attempt: 1,
    phoneNumber: '010-1234-0008',
    code: '42',
    scriptVersion: '1',
    callbackUrl: 'http://127.0.0.1:9/callbacks',
  };
  const first = run(settings);
  const body = JSON.stringify(call);
  const response = await fetch((await listening(first)) + path, {
    method: 'POST',
    headers: signed(path, body),
    body,
  });
  const { callId } = recordOf(await response.json());
  first.child.kill('SIGKILL');
  await first.exit;

  const second = run(settings);
  const ringing = await fetch(`${await listening(second)}/simulator/phone/calls`);
  expect(await ringing.json()).toMatchObject([{ callId, state: 'RINGING' }]);
});
