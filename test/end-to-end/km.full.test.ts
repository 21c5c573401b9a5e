import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { verifyNotification } from '../../client/index.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { acknowledgement, startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { startGroup } from '../processes/process-group.ts';

let stack: Stack;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'km-'));
  // Not `build`: the stack stops the process that all asynchronous builds share.
  buildSync({
    entryPoints: [join(projectDirectory, 'client', 'km.ts')],
    outfile: join(directory, 'km.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  stack = await startStack();
});
afterAll(async () => {
  await stack?.close();
  await rm(directory, { recursive: true });
});

const startKm = (...words: readonly string[]) =>
  startGroup(process.execPath, [join(directory, 'km.mjs'), ...words], { KM_URL: stack.url });

async function km(...words: readonly string[]) {
  const program = startKm(...words);
  return { exitCode: await program.exited, output: program.output() };
}

async function kmJson(...words: readonly string[]): Promise<Record<string, unknown>> {
  const { exitCode, output } = await km(...words, '--json');
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
  return JSON.parse(output) as Record<string, unknown>;
}

const account = ['--bank', '003', '--account', '11012345678'];

it.for([
  [0, 'plain'],
  [1, 'encrypted'],
] as const)('km registers, shows and deletes an account in project %d (%s)', async ([position]) => {
  const { aspId, members } = stack.projects[position];
  const user = members[3]!.userId;
  const registered = await km('register', '--user', user, ...account, '--watch');
  expect(registered).toMatchObject({ exitCode: 0, output: expect.stringMatching(/\nRegistered after /) });
  const [, number = ''] = /^Registration (\w{22}) /.exec(registered.output)!;
  const ofProject = ['--number', number, '--asp', aspId];

  expect(await kmJson('status', ...ofProject)).toEqual({ status: 'BANK_ACC_REGISTERED' });
  expect((await km('timeline', ...ofProject)).output).toMatch(/Z {2}\S.*: .+\n/);
  expect(await kmJson('list', '--user', user)).toMatchObject({
    registrations: [{ bankAccRegNo: number, userId: user, status: 'BANK_ACC_REGISTERED' }],
  });
  expect((await km('info', '--user', user)).output).toBe(
    `Account:       11012345678\nBank:          003  IBK  기업은행\nHolder:        ${members[3]!.userName}\n` +
      `Registration:  ${number}\n`,
  );
  expect(await km('delete', '--user', user)).toEqual({ exitCode: 0, output: 'Deleted.\n' });
  expect(await km('info', '--user', user)).toMatchObject({ exitCode: 1 });
});

it('km cancels a registration', async () => {
  const user = stack.projects[0].members[4]!.userId;
  // Nobody answers this phone.
  const words = ['register', '--user', user, ...account, '--mobile', '01012340008'];
  const { bankAccRegNo } = await kmJson(...words);
  const number = ['--number', String(bankAccRegNo)];
  expect(await km('cancel', ...number)).toEqual({ exitCode: 0, output: 'Cancelled.\n' });
  const watched = await km('status', ...number, '--watch');
  expect(watched).toMatchObject({ exitCode: 1, output: expect.stringContaining('002_914') });
});

describe('km listen', () => {
  const callbackUrl = async (position: 0 | 1, set?: string | null) => {
    const url = `${stack.url}/sandbox/projects/${stack.projects[position].aspId}/callback`;
    const request = set === undefined ? {} : { method: 'PUT', body: JSON.stringify({ callbackUrl: set }) };
    return ((await (await fetch(url, request)).json()) as { callbackUrl: string | null }).callbackUrl;
  };

  it('forwards notifications unchanged, answers as the target does, and puts the URL back', async () => {
    const target = await startNotificationReceiver();
    onTestFinished(() => void target.close());
    target.answerWith({ status: 503 }, { ...acknowledgement, status: 201 });
    await callbackUrl(1, 'http://127.0.0.1:9/earlier');
    const listener = startKm('listen', '--forward-to', target.url);
    await listener.untilOutput(/^Forwarding to /m);
    expect(await callbackUrl(1)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/km-listen$/);

    const project = stack.projects[1];
    const user = project.members[5]!.userId;
    const { bankAccRegNo } = await kmJson('register', '--user', user, ...account);
    await listener.untilOutput(new RegExp(`${target.url} answered HTTP 503: not acknowledged`));
    await listener.untilOutput(new RegExp(`${target.url} answered HTTP 201: acknowledged`));

    expect(listener.output()).toContain(`  ${String(bankAccRegNo)}  BANK_ACC_REGISTERED\n`);
    expect(listener.output()).toContain(`"userId":"${user}"`);
    expect(target.received).toHaveLength(2);
    for (const { headers, body } of target.received) {
      const notification = await verifyNotification({ ...project, headers, body });
      expect(notification).toMatchObject({ bankAccRegNo, status: 'BANK_ACC_REGISTERED' });
    }

    listener.terminate();
    expect(await listener.exited).toBe(0);
    expect([await callbackUrl(0), await callbackUrl(1)]).toEqual([null, 'http://127.0.0.1:9/earlier']);
  });

  it('acknowledges by itself without a target, and refuses what is forged', async () => {
    const listener = startKm('listen', '--json');
    const [line] = await listener.untilOutput(/^\{"listening".*$/m);
    const { listening } = JSON.parse(line) as { listening: { url: string } };
    const project = stack.projects[0];
    const forged = await fetch(listening.url, {
      method: 'POST',
      headers: { 'X-KM-User-AspId': project.aspId },
      body: '{}',
    });
    expect(forged.status).toBe(400);
    await listener.untilOutput(/^\{"error":\{"code":"NOTIFICATION_HEADERS".*$/m);

    const user = project.members[6]!.userId;
    const { bankAccRegNo } = await kmJson('register', '--user', user, ...account);
    const [shown] = await listener.untilOutput(/^\{"notification".*$/m);
    expect(JSON.parse(shown)).toMatchObject({
      notification: { bankAccRegNo, userId: user, status: 'BANK_ACC_REGISTERED' },
      answer: { from: 'km', status: 200, acknowledged: true },
    });
  });

  it('leaves the URL of a listener that was killed', async () => {
    const killed = startKm('listen');
    await killed.untilOutput(/^Listening /);
    await killed.kill();
    expect(await callbackUrl(0)).toContain('/km-listen');
    const listener = startKm('listen');
    await listener.untilOutput(/^Listening /);
    listener.terminate();
    expect(await listener.exited).toBe(0);
    expect(await callbackUrl(0)).toBe(null);
  });
});
