import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memberWorkflowId } from '../../contract/registration.ts';
import { createStores } from '../../database/stores.ts';
import { createLog } from '../../runtime/log.ts';
import { createDataConverter } from '../../encryption/data-converter.ts';
import { operate } from '../fixtures/operate.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
let nextMember = 0;
// Each test leaves the stack with other keys.
beforeEach(async () => {
  stack = await startStack();
});
afterEach(() => stack.close());

const nextKey = () => `next-key:${randomBytes(32).toString('base64')}`;

async function begin(url: string, overrides: Readonly<Record<string, unknown>> = {}) {
  const request = registration(stack.projects[0], nextMember++, overrides);
  const { body } = await call(url, stack.projects[0], '/ars/register', request);
  expect(body.response.code).toBe('000_000');
  return { userId: String(request['userId']), number: String(body['bankAccRegNo']) };
}

async function register(url: string) {
  const run = await begin(url);
  const { body } = await untilEnded(url, stack.projects[0], run.number);
  expect(body['status']).toBe('BANK_ACC_REGISTERED');
  return run;
}

const accountOf = async (url: string, userId: string) =>
  (await call(url, stack.projects[0], '/inquiry', { userId })).body;

describe('payload keys', () => {
  it('rotate while a registration runs', async () => {
    const { payloadKeys: old } = stack;
    const { userId, number } = await begin(stack.url, { mobileNumber: '01012340008' });
    const phone = `${stack.simulatorUrl}/simulator/phone/calls`;
    const findCall = async () => {
      const calls = (await (await fetch(phone)).json()) as { callId: string }[];
      return calls[0]?.callId;
    };
    await expect.poll(findCall, { timeout: 10_000 }).toBeDefined();
    const callId = (await findCall())!;

    const next = nextKey();
    const rotated = `${next},${old}`;
    await stack.stopWorker();
    await stack.startWorker({ payloadKeys: rotated });
    const { connection } = stack.temporal;
    const url = await stack.startAnotherApi({
      temporal: new Client({ connection, dataConverter: createDataConverter(rotated) }),
    });
    const post = (action: string, body = {}) =>
      fetch(`${phone}/${callId}/${action}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const { code } = (await (await post('answer')).json()) as { code: string };
    expect((await post('code', { code })).ok).toBe(true);
    const ended = await untilEnded(url, stack.projects[0], number);
    expect(ended.body['status']).toBe('BANK_ACC_REGISTERED');

    const workflowId = memberWorkflowId(userId);
    const run = stack.temporal.workflow.getHandle(workflowId);
    const history = await run.fetchHistory();
    const text = JSON.stringify(history);
    for (const keyId of ['test-key', 'next-key']) {
      expect(text).toContain(Buffer.from(keyId).toString('base64'));
    }
    const replay = (payloadKeys: string) =>
      Worker.runReplayHistory(
        { ...stack.replayOptions, dataConverter: createDataConverter(payloadKeys) },
        history,
        workflowId,
      );
    await replay(rotated);
    await expect(replay(next)).rejects.toThrow('Replay failed');
  });
});

describe('database keys', () => {
  it('rotate while the service runs', async () => {
    const next = nextKey();
    const { database, databaseKeys: old, temporal } = stack;
    const storesWith = (keys: string) => createStores(database.queries, keys);
    const before = await register(stack.url);

    // One process after another, so that all of them know the new key before one encrypts with it.
    const behind = await stack.startAnotherApi({ stores: storesWith(`${old},${next}`) });
    const rotated = storesWith(`${next},${old}`);
    const inFront = await stack.startAnotherApi({ stores: rotated });
    await stack.stopWorker();
    await stack.startWorker({ stores: rotated });

    const status = await operate({ stores: rotated, temporal }, 'keys', 'status');
    expect(status.exitCode).toBe(0);
    expect(status.output).toMatch(/^next-key +\d+ +is active$/m);
    expect(status.output).toMatch(/^test-key +\d+ +is still needed; next: npm run operator -- keys rewrap$/m);

    const meanwhile = Promise.all(
      [behind, inFront, behind, inFront].map(async (url, index) => {
        for (let turn = 0; turn < 3; turn++) {
          const { userId } = await register(url);
          expect((await accountOf([inFront, behind][index % 2]!, userId)).response.code).toBe('000_000');
        }
      }),
    );
    const rewrapped = await operate({ stores: rotated, temporal }, 'keys', 'rewrap');
    await meanwhile;
    expect(rewrapped.exitCode).toBe(0);
    expect(rewrapped.errors).toMatch(/^\d+ rows re-encrypted$/m);
    expect((await operate({ stores: rotated, temporal }, 'keys', 'status')).output).toMatch(
      /^test-key +0 +can be removed once it is the active key of no process$/m,
    );

    const alone = storesWith(next);
    await alone.databaseKeys.requireAll();
    const after = await stack.startAnotherApi({ stores: alone });
    await stack.stopWorker();
    await stack.startWorker({ stores: alone });
    expect((await accountOf(after, before.userId))['bankAccount']).toBe('110****678');
    await register(after);
    const { exitCode, output } = await operate({ stores: alone, temporal }, 'evidence', 'verify');
    expect([exitCode, output]).toEqual([0, expect.stringContaining('evidence: 14 verified, 0 broken')]);
  });

  it('that were removed too early are named, to operators and in the log', async () => {
    const logLines: string[] = [];
    const stores = createStores(stack.database.queries, `another-key:${randomBytes(32).toString('base64')}`);
    const log = createLog('test', 'info', (line) => logLines.push(line));
    const url = await stack.startAnotherApi({ stores, log });
    const { userId } = stack.projects[0].members[0]!;
    expect(await accountOf(url, userId)).toEqual({
      response: { code: '000_990', description: expect.any(String) },
    });
    expect(logLines.join()).toContain('There is no key with the ID test-key');
    for (const command of ['status', 'rewrap']) {
      expect(await operate({ stores, temporal: stack.temporal }, 'keys', command)).toMatchObject({
        exitCode: 1,
        errors: expect.stringContaining('test-key'),
      });
    }
  });
});
