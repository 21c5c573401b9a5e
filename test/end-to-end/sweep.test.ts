import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { memberWorkflowId, notificationWorkflowId, removalWorkflowId } from '../../contract/registration.ts';
import { effects, registrations, resultNotifications } from '../../database/schema.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { createLog } from '../../runtime/log.ts';
import { createTemporalClient } from '../../runtime/temporal.ts';
import { sweep } from '../../runs/sweep.ts';
import { membersOf, ringing } from '../fixtures/members-of-stack.ts';
import type { Started } from '../fixtures/members-of-stack.ts';
import { operate } from '../fixtures/operate.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call } from '../fixtures/wire-client.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const { addRow, ended, nextMember, register, untilRinging } = membersOf(() => stack);
const runOf = ({ userId }: Started) => stack.temporal.workflow.getHandle(memberWorkflowId(userId));
const cancel = ({ regNo }: Started) =>
  call(stack.url, stack.projects[0], '/ars/register/cancel', { regNo, action: 'cancel' });

/** The length of the longest workflow ID that Temporal accepts. */
const longest = 1_000;

/** A registration whose run cannot be started: Temporal refuses such a workflow ID. @returns its number */
async function addUnstartable(): Promise<string> {
  const { aspId } = stack.projects[0];
  const member = inventMember('9'.repeat(longest + 1 + nextMember()));
  await stack.stores.members.add(aspId, [member]);
  const { registrationNumber } = await addRow(member.userId);
  await stack.stores.registrations.begin(registrationNumber);
  return registrationNumber;
}

const runStatus = async (workflowId: string) => {
  const run = stack.temporal.workflow.getHandle(workflowId);
  return await run.describe().then(
    ({ status }) => status.name,
    () => 'NONE',
  );
};
const parts = () => ({ ...stack, log: createLog('sweep', 'silent') });

it('goes on after a start that fails, and counts it; resume --all names it and exits with 1', async () => {
  const unstartable = await addUnstartable();
  const [lost, alive] = [await register(ringing), await register(ringing)];
  for (const started of [lost, alive]) await untilRinging(started);
  await runOf(lost).terminate('the test');
  const longOverdue = { lookAt: sql`clock_timestamp() - interval '1 hour'` };
  const ofIt = eq(registrations.registrationNumber, unstartable);
  await stack.stores.registrations.makeOverdue(lost.regNo);
  await stack.database.queries.update(registrations).set(longOverdue).where(ofIt);
  await expect(sweep(parts())).resolves.toMatchObject({
    registrations: { started: 1, running: 0, withdrawn: 0, failed: [unstartable] },
  });
  expect((await runOf(lost).describe()).status.name).toBe('RUNNING');
  expect(await stack.metrics.registry.getSingleMetricAsString('sweep_rows_total')).toContain(
    'kind="REGISTRATION",outcome="failed"} 1',
  );

  // A run that is heard of meanwhile is not looked for.
  await stack.stopWorker();
  await runOf(lost).terminate('the test');
  const resumed = await operate(stack, 'resume', '--all');
  expect(resumed.output).toContain('Registrations: 1 runs started, 1 were running, 1 could not be started.');
  expect(resumed).toMatchObject({ exitCode: 1, errors: expect.stringContaining(unstartable) });
  await stack.stores.ledger.cancel(unstartable);
  expect(await operate(stack, 'resume', '--all')).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining('Registrations: 0 runs started, 2 were running, 0 could not be started.'),
  });
  for (const started of [lost, alive]) await cancel(started);
  await stack.startWorker();
});

it('reports a registration that is overdue again although it has a run', async () => {
  const started = await register(ringing);
  await untilRinging(started);
  await stack.stopWorker();
  const lines: string[] = [];
  const log = createLog('sweep', 'warn', (line) => lines.push(line));
  const overdue = { lookAt: sql`clock_timestamp() - interval '1 hour'` };
  for (const stuck of [0, 1]) {
    const ofIt = eq(registrations.registrationNumber, started.regNo);
    await stack.database.queries.update(registrations).set(overdue).where(ofIt);
    expect((await sweep({ ...stack, log })).registrations).toMatchObject({ running: 1 });
    expect(lines.filter((line) => line.includes(`resume --number ${started.regNo}`))).toHaveLength(stuck);
  }
  expect(await stack.metrics.registry.getSingleMetricAsString('registration_runs_stuck_total')).toMatch(
    / 1$/,
  );
  await cancel(started);
  await stack.startWorker();
});

it('takes no row while Temporal does not answer', async () => {
  const number = await addUnstartable();
  await stack.stores.registrations.makeOverdue(number);
  // Nothing listens at that address.
  const away = createTemporalClient(
    { connectionOptions: { address: '127.0.0.1:9' }, namespace: 'default' },
    stack.replayOptions.dataConverter!,
  );
  await expect(sweep({ ...parts(), temporal: away })).rejects.toThrow(/UNAVAILABLE|DEADLINE|connect/i);
  const row = (await stack.stores.registrations.findAny(number))!;
  expect(row.replacements).toBe(0);
  await away.connection.close();
  await stack.stores.ledger.cancel(number);
});

it('works on removals and notifications beside a backlog of registrations', async () => {
  const deleted = await register();
  expect((await ended(deleted))['status']).toBe('BANK_ACC_REGISTERED');
  await stack.stores.accounts.delete(
    { aspId: stack.projects[0].aspId, userId: deleted.userId },
    deleted.regNo,
  );
  await stack.stores.projects.setNotificationUrl(stack.projects[0].aspId, 'http://127.0.0.1:9/');
  const { registrationNumber: cancelled } = await addRow(stack.projects[0].members[nextMember()]!.userId);
  await stack.stores.ledger.cancel(cancelled);
  const { queries } = stack.database;
  const longAgo = sql`clock_timestamp() - interval '1 hour'`;
  await queries.update(effects).set({ askAt: longAgo }).where(eq(effects.kind, 'REMOVAL'));
  await queries.update(resultNotifications).set({ lookAt: longAgo });
  const backlog = [await register(ringing), await register(ringing)];
  for (const started of backlog) await untilRinging(started);
  await stack.stores.registrations.makeOverdue();

  const stopping = new AbortController();
  const sweeping = sweep(parts(), { startsPerSecond: 0.001 }, stopping.signal);
  for (const workflowId of [removalWorkflowId(deleted.regNo), notificationWorkflowId(cancelled)])
    await expect.poll(() => runStatus(workflowId), { timeout: 20_000 }).toMatch(/RUNNING|COMPLETED/);
  stopping.abort();
  await sweeping;
  for (const started of backlog) await cancel(started);
});
