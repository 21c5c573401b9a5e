import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { countTemporalRequests, temporalProcess } from '../fixtures/temporal-requests.ts';
import { call, registration } from '../fixtures/wire-client.ts';

/** How many registrations are measured one after the other, and how many at once. */
const [oneByOne, atOnce] = [25, 60];
/** Inquiries per second beside the concurrent registrations. */
const inquiriesPerSecond = 100;

let stack: Stack;
let nextMember = 0;
let inquiriesMade = 0;
/** What API and worker send to PostgreSQL, `begin` and `commit` included. */
const statements = vi.spyOn(Client.prototype, 'query');
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

it('costs', { timeout: 300_000 }, async () => {
  // The first registrations warm up the service and are discarded.
  for (let count = 0; count < 5; count++) await untilEnded(await register());

  const before = await readCounters();
  const times: number[] = [];
  let last = '';
  for (let count = 0; count < oneByOne; count++) {
    const startedAt = performance.now();
    last = (await untilEnded(await register())).userId;
    times.push(performance.now() - startedAt);
  }
  // What follows a registration, such as closing its run, is part of its price.
  await delay(2_000);
  const after = await readCounters();
  const { events } = await stack.temporal.workflow.getHandle(last).fetchHistory();
  const tasks = events!.filter((event) => event.workflowTaskCompletedEventAttributes);
  expect(tasks).not.toEqual([]);
  print(`history of a registration             ${events!.length} events in ${tasks.length} workflow tasks`);
  for (const name of Object.keys(after) as (keyof typeof after)[])
    print(`${name.padEnd(37)} ${((after[name] - before[name]) / oneByOne).toFixed(1)} per registration`);
  print(`from the request to the result        ${describeTimes(times)}`);

  const startedAt = performance.now();
  const started = await Promise.all(Array.from({ length: atOnce }, register));
  const running = new Set(started.map(({ regNo }) => regNo));
  const inquiries: number[] = [];
  const numbers = [...running];
  const measureInquiry = async (regNo: string): Promise<void> => {
    const askedAt = performance.now();
    const status = await inquire(regNo);
    inquiries.push(performance.now() - askedAt);
    if (status.startsWith('BANK_ACC') || status === 'ARS_AUTH_FAILED') running.delete(regNo);
  };
  for (let asked = 0; running.size > 0; asked++) {
    void measureInquiry(numbers[asked % numbers.length]!);
    await delay(1_000 / inquiriesPerSecond);
  }
  print(`${atOnce} registrations at once              ${seconds(performance.now() - startedAt)}`);
  print(`an inquiry beside them                ${describeTimes(inquiries)}`);
});

async function register() {
  const [project] = stack.projects;
  const request = registration(project, nextMember++);
  const { body } = await call(stack.url, project, '/ars/register', request);
  return { userId: String(request['userId']), regNo: String(body['bankAccRegNo']) };
}

async function inquire(regNo: string): Promise<string> {
  inquiriesMade++;
  const { body } = await call(stack.url, stack.projects[0], '/ars/register/inquiry', { regNo });
  return String(body['status']);
}

async function untilEnded(started: { readonly userId: string; readonly regNo: string }) {
  while ((await inquire(started.regNo)).startsWith('ARS_AUTH_')) await delay(20);
  return started;
}

/** CPU times in ms, and what was asked of PostgreSQL and Temporal. */
async function readCounters() {
  const { rows } = (await stack.database.queries.execute(
    sql`select xact_commit::integer as transactions from pg_stat_database where datname = current_database()`,
  )) as { rows: [{ transactions: number }] };
  const { user, system } = process.cpuUsage();
  const requests = await countTemporalRequests();
  return {
    'CPU of API, worker and simulator, ms': (user + system) / 1_000,
    'CPU of the Temporal server, ms': temporalProcess().cpu,
    'database transactions': rows[0].transactions,
    'SQL statements': statements.mock.calls.length,
    'inquiries of the benchmark among them': inquiriesMade,
    'gRPC calls without polls': requests.others,
    'gRPC polls': requests.polls,
  };
}

function describeTimes(times: readonly number[]): string {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (part: number) =>
    seconds(sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)]!);
  return `p50 ${at(0.5)}, p99 ${at(0.99)} (${sorted.length})`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(3)} s`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
