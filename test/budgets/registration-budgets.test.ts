import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { countTemporalRequests } from '../fixtures/temporal-requests.ts';
import { call, registration } from '../fixtures/wire-client.ts';
import { countStatements } from './statement-counter.ts';

/** What one plain registration may cost at most, where it does not depend on the machine. Whoever raises a figure says why. */
interface Budgets {
  readonly historyEvents: number;
  readonly workflowTasks: number;
  /** Of all payloads in the history, encrypted. */
  readonly payloadBytes: number;
  /** Polls are left out: their number depends on time. */
  readonly temporalRequests: number;
  /** By the request or the activity that sends them; `total` is their sum. */
  readonly statements: Readonly<Record<string, number>>;
  readonly workflowBundleBytes: number;
}

const budgets = JSON.parse(readFileSync(new URL('./budgets.json', import.meta.url), 'utf8')) as Budgets;

/** Of so many registrations the one with the fewest statements counts: one that had to ask again is not plain. */
const registrations = 6;

describe.runIf(process.env['DATABASE_URL'])('a plain registration', () => {
  let stack: Stack;
  let statements: Map<string, number>;
  let temporalRequests: number;
  const measured: Awaited<ReturnType<typeof measure>>[] = [];

  beforeAll(async () => {
    stack = await startStack();
    statements = countStatements();
    await serverCounts();
    const before = await countTemporalRequests();
    for (let member = 0; member < registrations; member++) measured.push(await measure(member));
    await serverCounts();
    temporalRequests = ((await countTemporalRequests()).others - before.others) / registrations;
    measured.sort((one, other) => one.statements['total']! - other.statements['total']!);
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await stack.close();
  });

  async function measure(member: number) {
    const [project] = stack.projects;
    const request = registration(project, member);
    statements.clear();
    const { body } = await call(stack.url, project, '/ars/register', request);
    const number = String(body['bankAccRegNo']);
    const run = stack.temporal.workflow.getHandle(String(request['userId']));
    await run.result();
    const ended = await stack.stores.registrations.findAny(number);
    expect(ended?.status).toBe('BANK_ACC_REGISTERED');
    const sorted = [...statements].toSorted(([one], [other]) => one.localeCompare(other));
    const { events } = await run.fetchHistory();
    return {
      historyEvents: events!.length,
      workflowTasks: events!.filter((event) => event.workflowTaskCompletedEventAttributes).length,
      payloadBytes: bytesIn(events),
      statements: Object.fromEntries([
        ...sorted,
        ['total', sorted.reduce((sum, [, count]) => sum + count, 0)],
      ]),
    };
  }

  it('sends no more statements than its budget', () => {
    const { statements: counted } = measured[0]!;
    expect(Object.keys(counted).toSorted()).toEqual(Object.keys(budgets.statements).toSorted());
    expect(exceeded(counted, budgets.statements)).toEqual([]);
  });

  it('costs Temporal no more than its budget', () => {
    const { statements: _, ...others } = measured[0]!;
    expect(exceeded({ ...others, temporalRequests }, budgets)).toEqual([]);
  });
});

it('the workflow bundle is no larger than its budget', () => {
  const { length: workflowBundleBytes } = readFileSync(inject('workflowBundle'));
  expect(exceeded({ workflowBundleBytes }, budgets)).toEqual([]);
});

/** The server publishes its counts about once a second. */
const serverCounts = () => delay(2_000);

/** All binary values below this one, which in a history are its payloads. */
function bytesIn(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, part) => sum + bytesIn(part), 0);
}

function exceeded(counted: Readonly<Record<string, number>>, limits: object): string[] {
  return Object.entries(counted).flatMap(([name, count]) => {
    const budget = (limits as Record<string, number>)[name]!;
    return count > budget
      ? [`${name}: ${count} instead of ${budget}; raise it in budgets.json if that is right`]
      : [];
  });
}
