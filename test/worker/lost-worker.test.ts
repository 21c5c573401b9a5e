import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { memberWorkflowId } from '../../contract/registration.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration } from '../fixtures/wire-client.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

it('a run is offered to other workers three seconds after its worker is gone', async () => {
  const [project] = stack.projects;
  const request = registration(project, 0);
  await call(stack.url, project, '/ars/register', request);
  const run = stack.temporal.workflow.getHandle(memberWorkflowId(String(request['userId'])));
  const eventsOf = async () => (await run.fetchHistory()).events ?? [];
  await vi.waitFor(async () => {
    expect((await eventsOf()).some((event) => event.workflowTaskCompletedEventAttributes)).toBe(true);
  }, 10_000);

  await stack.stopWorker();
  await run.signal('nothing');

  // Temporal's own records of its timer, which is set to ten seconds by default.
  const seconds = await vi.waitUntil(
    async () => {
      const events = await eventsOf();
      const end = events.find((event) => event.workflowTaskTimedOutEventAttributes);
      const begin = end?.workflowTaskTimedOutEventAttributes?.scheduledEventId?.toNumber();
      return end && Number(end.eventTime!.seconds) - Number(events[begin! - 1]!.eventTime!.seconds);
    },
    { timeout: 20_000, interval: 200 },
  );
  expect(seconds).toBeLessThan(10);
});
