import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memberWorkflowId } from '../../contract/registration.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import { bankAccountOperations } from '../../wire/bank-account-operations.ts';
import type { Queries } from '../../database/database.ts';
import * as schema from '../../database/schema.ts';
import type { Operation } from '../../wire/operation.ts';
import { reseal } from '../fixtures/reseal.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, callEncrypted, registration, send, untilEnded } from '../fixtures/wire-client.ts';
import { expectAnswer } from './envelope.ts';

const operations = bankAccountOperations.map((operation: Operation) => [operation.path, operation] as const);
const naming = (field: string) =>
  operations.filter(([, { request }]) => Object.keys(request.shape).includes(field));
const neutral = operations.filter(([, { request }]) => request.safeParse({}).success);

let stack: Stack;
let regNo: string;
beforeAll(async () => {
  stack = await startStack();
  const [, owner] = stack.projects;
  const accepted = await callEncrypted(stack.url, owner, '/ars/register', registration(owner, 0));
  regNo = String(accepted.body['bankAccRegNo']);
  expectAnswer(await untilEnded(stack.url, owner, regNo), '000_000');
});
afterAll(() => stack.close());

/** A request that names another service provider's member and registration. */
const foreign = () => ({ ...registration(stack.projects[1], 0), regNo, action: 'cancel' });

describe.each(['/api/v1', '/open-api/api/v1'])('below %s', (basePath) => {
  const ask = (operation: Operation, body: object) =>
    send(stack.url, stack.projects[0], basePath + operation.path, JSON.stringify(body));

  it.for(naming('userId'))('%s knows no member of another service provider', async ([, operation]) => {
    expectAnswer(await ask(operation, foreign()), '001_006');
  });

  it.for(naming('regNo'))('%s knows no registration of another service provider', async ([, operation]) => {
    expectAnswer(await ask(operation, foreign()), '002_019');
  });

  it.for(neutral)('%s shows nothing of another service provider', async ([, operation]) => {
    const answer = await ask(operation, {});
    expectAnswer(answer, '000_000', operation);
    expect(answer.text).not.toContain(regNo);
    expect(answer.text).not.toContain(stack.projects[1].members[0]!.userId);
  });
});

it('every operation is tried', () => {
  const tried = [...naming('userId'), ...naming('regNo'), ...neutral].map(([path]) => path);
  expect([...new Set(tried)].toSorted()).toEqual(operations.map(([path]) => path).toSorted());
  expect(neutral.map(([path]) => path)).toEqual([
    '/bankaccounts/ars/register/list',
    '/bankaccounts/institutions',
  ]);
});

describe('rows that were given to another service provider by somebody who writes to the database', () => {
  const { accounts, members, registrations } = schema;

  /** What that service provider is answered about the account. */
  async function askAsAnother(
    attack: (queries: Queries, thief: { aspId: string; userId: string }) => Promise<unknown>,
  ) {
    const [another, owner] = stack.projects;
    const thief = { aspId: another.aspId, userId: another.members[0]!.userId };
    const { queries } = stack.database;
    const before = {
      account: (await queries.select().from(accounts))[0]!,
      registration: (await queries.select().from(registrations))[0]!,
      member: (await queries.select().from(members).where(eq(members.userId, owner.members[0]!.userId)))[0]!,
    };
    await attack(queries, thief);
    // Seals show an alteration before this does.
    await reseal(stack);
    const texts: string[] = [];
    for (const userId of [thief.userId, before.member.userId])
      for (const path of ['/info', '/inquiry']) {
        const answer = await callEncrypted(stack.url, another, path, { userId });
        texts.push(JSON.stringify(answer.body));
      }
    await queries.update(accounts).set(before.account);
    await queries.update(registrations).set(before.registration);
    await queries.update(members).set(before.member).where(eq(members.userId, before.member.userId));
    await reseal(stack);
    return texts;
  }

  it('show an account to nobody else', async () => {
    const texts = await askAsAnother((queries, { userId }) => queries.update(accounts).set({ userId }));
    for (const text of texts) expect(text).toMatch(/002_916|001_006/);
  });

  it('show no personal data, even if all of them agree', async () => {
    const texts = await askAsAnother(async (queries, { aspId, userId }) => {
      await queries.update(accounts).set({ userId });
      await queries.update(registrations).set({ aspId, userId });
      await queries.update(members).set({ aspId });
    });
    for (const text of texts) expect(text).toMatch(/000_990/);
  });
});

it('a run that somebody who writes to Temporal gave the number of another service provider does not show it', async () => {
  const [project] = stack.projects;
  const run = await stack.temporal.workflow.start('anything', {
    workflowId: memberWorkflowId(project.members[0]!.userId),
    taskQueue: 'nowhere',
    typedSearchAttributes: [{ key: searchAttributes.registrationNumber, value: regNo }],
  });
  const answer = await call(stack.url, project, '/ars/register', registration(project, 0));
  expectAnswer(answer, '002_013');
  expect(answer.text).not.toContain(regNo);
  await run.terminate();
});

it('requests of another service provider have changed nothing', async () => {
  const [, owner] = stack.projects;
  const { body } = await callEncrypted(stack.url, owner, '/inquiry', {
    userId: owner.members[0]!.userId,
  });
  expect(body.response.code).toBe('000_000');
});
