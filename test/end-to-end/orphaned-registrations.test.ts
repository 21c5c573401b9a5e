import { Client, Connection } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRegistrationNumber } from '../../api/registrations/registration-number.ts';
import { removeOrphanedRegistrations } from '../../api/registrations/orphaned-registrations.ts';
import { memberWorkflowId } from '../../contract/registration.ts';
import { registrations } from '../../database/schema.ts';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { createLog } from '../../runtime/log.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Persists a registration as the API does before it starts the run. */
async function persist(member: number): Promise<string> {
  const { aspId, members } = stack.projects[0];
  const registrationNumber = createRegistrationNumber(new Date());
  await stack.stores.registrations.add((await stack.stores.members.find(aspId, members[member]!.userId))!, {
    registrationNumber,
    bankCode: '003',
    arsCodeId: null,
    details: {
      accountNumber: '11012345678',
      bankName: 'IBK',
      holderName: '홍길동',
      birthDate: '19900101',
      mobileNumber: '01012345678',
      authNumber: '12',
    },
  });
  return registrationNumber;
}

async function register(member: number, mobileNumber: string): Promise<string> {
  const request = registration(stack.projects[0], member, { mobileNumber });
  const { body } = await call(stack.url, stack.projects[0], '/ars/register', request);
  expect(body.response.code).toBe('000_000');
  return String(body['bankAccRegNo']);
}

async function removeOrphans(createdBefore: Date): Promise<void> {
  const { stores, temporal } = stack;
  await removeOrphanedRegistrations({ stores, temporal, log: createLog('test', 'silent') }, createdBefore);
}

async function isKnown(number: string): Promise<boolean> {
  return (await stack.stores.registrations.find(stack.projects[0].aspId, number)) !== undefined;
}

it('an orphaned registration is removed, and no other', async () => {
  // These phones ring until somebody answers.
  const [running, terminated] = await Promise.all([register(0, '01012340008'), register(1, '01012340008')]);
  const terminatedMember = stack.projects[0].members[1]!.userId;
  await stack.temporal.workflow.getHandle(memberWorkflowId(terminatedMember)).terminate();
  const ended = await register(1, '01012345678');
  await untilEnded(stack.url, stack.projects[0], ended);
  const besideRunning = await persist(0);
  const withoutRun = await persist(2);
  const forgottenByTemporal = await persist(2);
  await stack.database.queries
    .update(registrations)
    .set({ createdAt: new Date(Date.now() - 25 * 60 * 60 * 1_000) })
    .where(eq(registrations.registrationNumber, forgottenByTemporal));
  const young = await persist(3);
  const limit = new Date(Date.now() + 1_000);
  await stack.database.queries
    .update(registrations)
    .set({ createdAt: limit })
    .where(eq(registrations.registrationNumber, young));

  await removeOrphans(limit);
  const known = await Promise.all([running, terminated, ended, young, forgottenByTemporal].map(isKnown));
  expect(known).toEqual([true, true, true, true, true]);
  expect(await Promise.all([besideRunning, withoutRun].map(isKnown))).toEqual([false, false]);
});

it('nothing is removed while Temporal is unavailable', async () => {
  const number = await persist(4);
  const connection = Connection.lazy({ address: `127.0.0.1:${await findFreePort()}` });
  const parts = { ...stack, temporal: new Client({ connection }), log: createLog('test', 'silent') };
  await expect(removeOrphanedRegistrations(parts, new Date(Date.now() + 1_000))).rejects.toThrow(
    'Failed to describe',
  );
  expect(await isKnown(number)).toBe(true);
});
