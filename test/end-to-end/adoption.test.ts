import { Client } from '@temporalio/client';
import { eq, isNotNull, isNull, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabaseWitness } from '../../composition/database-witness.ts';
import { removalWorkflowId, taskQueue, workflowTypes } from '../../contract/registration.ts';
import type { RunOrder } from '../../contract/registration.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import { registrations } from '../../database/schema.ts';
import { createLog } from '../../runtime/log.ts';
import { sweep } from '../../runs/sweep.ts';
import { backUp } from '../fixtures/database-backup.ts';
import type { DatabaseBackup } from '../fixtures/database-backup.ts';
import { membersOf, ringing } from '../fixtures/members-of-stack.ts';
import type { Started } from '../fixtures/members-of-stack.ts';
import { operate } from '../fixtures/operate.ts';
import { reseal } from '../fixtures/reseal.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const { addRow, callsOf, ended, nextMember, pickUp, post, register, registrationsOf, rowOf, untilRinging } =
  membersOf(() => stack);
/** As somebody reaches Temporal who has none of our keys. */
const withoutKeys = () => new Client({ connection: stack.temporal.connection, namespace: 'default' });
const sweepOnce = () => sweep({ ...stack, log: createLog('sweep', 'silent') });

/** Waits until no run is open, as operators see it in lists. */
async function untilClosed(workflowId: string): Promise<void> {
  const query = `WorkflowId = '${workflowId}' and ExecutionStatus = 'Running'`;
  const countOpen = async () => (await stack.temporal.workflow.count(query)).count;
  await expect.poll(countOpen, { timeout: 20_000 }).toBe(0);
}

/** Restores the database while API and worker are stopped. @returns what `adopt` printed */
async function restoreAndAdopt(backup: DatabaseBackup): Promise<string> {
  await stack.stopWorker();
  await backup.restore();
  await operate(stack, 'restored', '--to', backup.madeAt.toISOString());
  const adopted = await operate(stack, 'adopt');
  expect(adopted).toMatchObject({ exitCode: 0 });
  return adopted.output;
}

it('runs that somebody else started are no evidence, whatever they show and however they are named', async () => {
  const [failed, kept, open] = [
    await register({ bankAccount: '11012349001' }),
    await register(),
    await register(ringing),
  ];
  for (const started of [failed, kept]) await ended(started);
  await untilClosed(failed.userId);
  await untilRinging(open);
  const backup = await backUp(stack.database.queries);
  const lost = await register();
  expect(await ended(lost)).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
  await untilClosed(lost.userId);

  for (const victim of [open, lost]) await pretendToHaveFailed(victim);
  // One shows an order that nobody has encrypted with our keys; the other has a copy of another order.
  await pretendToRemove(withoutKeys(), { kind: 'REMOVAL', registrationNumber: kept.regNo });
  await pretendToRemove(stack.temporal, orderOf(kept));

  expect(await restoreAndAdopt(backup)).not.toMatch(new RegExp(`${open.regNo}|${kept.regNo}`));
  expect(await rowOf(open)).toMatchObject({ endedAt: null });
  await stack.startWorker();
  await pickUp(open);
  expect(await ended(open)).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
  for (const started of [kept, open, lost]) {
    const { accountInfo } = await post('/info', { userId: started.userId });
    expect(accountInfo).toMatchObject({ bankAccRegNo: started.regNo });
    expect(await registrationsOf(started)).toMatchObject([{ state: 'REGISTERED', registerCalls: 1 }]);
  }

  function orderOf({ regNo: registrationNumber, userId }: Started): RunOrder {
    const { aspId } = stack.projects[0];
    return { kind: 'REGISTRATION', registrationNumber, userId, aspId, bankCode: '003' };
  }

  /** Starts a run with a copy of another's order. It closes as failed, because the registration of its input has failed. */
  async function pretendToHaveFailed(victim: Started): Promise<void> {
    const run = await stack.temporal.workflow.start(workflowTypes.register, {
      workflowId: failed.userId,
      taskQueue,
      args: [{ registrationNumber: failed.regNo }],
      memo: { order: orderOf(victim) },
      typedSearchAttributes: [
        { key: searchAttributes.aspId, value: stack.projects[0].aspId },
        { key: searchAttributes.registrationNumber, value: victim.regNo },
        { key: searchAttributes.bankCode, value: '003' },
      ],
    });
    await run.result();
    await untilClosed(failed.userId);
  }

  async function pretendToRemove(temporal: Client, order: RunOrder): Promise<void> {
    const workflowId = removalWorkflowId(kept.regNo);
    const input = { registrationNumber: kept.regNo };
    const memo = { order };
    const options = { workflowId, taskQueue, args: [input], memo };
    const run = await temporal.workflow.start(workflowTypes.removeAccount, options);
    await run.result().catch(() => undefined);
    await untilClosed(workflowId);
  }
});

it('a number that was handed out is not withdrawn because the backup did not know that it had begun', async () => {
  const started = await register(ringing);
  await untilRinging(started);
  const notBegun = { begunAt: null, lookAt: sql`clock_timestamp() - interval '1 minute'` };
  const ofIt = eq(registrations.registrationNumber, started.regNo);
  await stack.database.queries.update(registrations).set(notBegun).where(ofIt);
  await reseal(stack);
  expect(await restoreAndAdopt(await backUp(stack.database.queries))).toMatch(
    new RegExp(`^${started.regNo} .*continues`, 'm'),
  );
  await sweepOnce();
  expect(await rowOf(started)).toMatchObject({ begunAt: expect.any(Date), withdrawnAt: null });
  await stack.startWorker();
  await pickUp(started);
  expect(await ended(started)).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
  expect(await callsOf(started)).toHaveLength(1);
});

it('no number is withdrawn before an operator has said what a restore lost and has brought it back', async () => {
  const started = await register(ringing);
  await untilRinging(started);
  const { userId } = stack.projects[0].members[nextMember()]!;
  const { registrationNumber: neverHandedOut } = await addRow(userId);
  await stack.stopWorker();
  const ofIt = eq(registrations.registrationNumber, started.regNo);
  await stack.database.queries.update(registrations).set({ begunAt: null }).where(ofIt);
  await reseal(stack);
  const backup = await backUp(stack.database.queries);
  await backup.restore();

  const withdrawnBySweep = async () => {
    await stack.database.queries
      .update(registrations)
      .set({ lookAt: new Date(0) })
      .where(isNull(registrations.endedAt));
    await sweepOnce();
    const withdrawn = await stack.database.queries
      .select({ number: registrations.registrationNumber })
      .from(registrations)
      .where(isNotNull(registrations.withdrawnAt));
    return withdrawn.map(({ number }) => number);
  };
  expect(await withdrawnBySweep()).toEqual([]);
  await operate(stack, 'restored', '--to', backup.madeAt.toISOString());
  expect(await withdrawnBySweep()).toEqual([]);
  expect(await operate(stack, 'adopt')).toMatchObject({ exitCode: 0 });
  expect(await withdrawnBySweep()).toEqual([neverHandedOut]);
  await stack.startWorker();
  await pickUp(started);
  expect(await ended(started)).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
});

it('Temporal remembers how far the database has come, in words that only this service can have written', async () => {
  const witness = createDatabaseWitness(stack.temporal);
  const mark = (await stack.stores.incarnations.mark())!;
  expect(await witness.read()).toMatchObject({ bornAt: mark.bornAt });
  await witness.write(mark);
  expect(await witness.read()).toEqual(mark);
  await stack.temporal.schedule.getHandle('database-mark').delete();
  await createDatabaseWitness(withoutKeys()).write({ ...mark, position: '0' });
  expect(await witness.read()).toBeUndefined();
});
