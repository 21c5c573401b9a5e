import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { memberWorkflowId } from '../../contract/registration.ts';
import type { Stores } from '../../database/stores.ts';
import { membersOf, ringing } from '../fixtures/members-of-stack.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration } from '../fixtures/wire-client.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** The new run finds the older registration, withdraws its number and closes. */
async function workUntilClosed(userId: string): Promise<void> {
  await stack.startWorker();
  await vi.waitFor(async () => {
    const { status } = await stack.temporal.workflow.getHandle(memberWorkflowId(userId)).describe();
    expect(status.name).toBe('COMPLETED');
  }, 20_000);
}

const { nextMember, register, untilRinging } = membersOf(() => stack);
type Begin = Stores['registrations']['begin'];

/**
 * Registers a member whose open registration Temporal has forgotten, through an API whose `begin` is held. The worker is
 * stopped until then.
 * @returns the answer, and the number that it must name
 */
async function registerBeside(begin: (number: string, begin: Begin, userId: string) => ReturnType<Begin>) {
  const member = nextMember();
  const older = await register(ringing, { member });
  await untilRinging(older);
  await stack.temporal.workflow.getHandle(memberWorkflowId(older.userId)).terminate('forgotten');
  await stack.stopWorker();
  const { registrations } = stack.stores;
  const held = {
    ...registrations,
    begin: (number: string) => begin(number, (own) => registrations.begin(own), older.userId),
  };
  const url = await stack.startAnotherApi({ stores: { ...stack.stores, registrations: held } });
  const request = registration(stack.projects[0], member, ringing);
  const { body } = await call(url, stack.projects[0], '/ars/register', request);
  return { body, older };
}

it('a new registration gives way to an older one that Temporal has forgotten, after its run has withdrawn it', async () => {
  const { body, older } = await registerBeside(async (number, begin, userId) => {
    await workUntilClosed(userId);
    return await begin(number);
  });
  expect(body).toMatchObject({ response: { code: '002_013' }, bankAccRegNo: older.regNo });
});

it('a new registration gives way to an older one that Temporal has forgotten, although its run has closed', async () => {
  const { body, older } = await registerBeside(async (number, begin, userId) => {
    const begun = await begin(number);
    await workUntilClosed(userId);
    return begun;
  });
  expect(body).toMatchObject({ response: { code: '002_013' }, bankAccRegNo: older.regNo });
});
