import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bankAccountOperations } from '../../contract/bank-account-operations.ts';
import type { Operation } from '../../contract/operation.ts';
import { startStack } from '../stack.ts';
import type { Stack } from '../stack.ts';
import { callEncrypted, registration, send, untilEnded } from '../wire-client.ts';
import { expectAnswer } from './envelope.ts';

/** Operations that name neither a member nor a registration, with what they tell instead. */
const neutral = ['/bankaccounts/ars/register/list', '/bankaccounts/institutions'];

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

/** What another service provider's request would name. */
const foreign = () => ({ ...registration(stack.projects[1], 0), regNo });

describe.each(['/api/v1', '/open-api/api/v1'])('below %s', (basePath) => {
  const ask = (operation: Operation, body: object) =>
    send(stack.url, stack.projects[0], basePath + operation.path, JSON.stringify(body));

  it.for(bankAccountOperations.map((operation) => [operation.path, operation] as const))(
    '%s shows a service provider nothing of another one',
    async ([path, operation]) => {
      const fields = Object.keys(operation.request.shape);
      if (fields.includes('userId')) {
        expectAnswer(await ask(operation, foreign()), '001_006');
      } else if (fields.includes('regNo')) {
        expectAnswer(await ask(operation, foreign()), '002_019');
      } else {
        expect(neutral).toContain(path);
        const answer = await ask(operation, {});
        expectAnswer(answer, '000_000', operation);
        expect(answer.text).not.toContain(regNo);
        expect(answer.text).not.toContain(stack.projects[1].members[0]!.userId);
      }
    },
  );
});

it('what another one asked for changed nothing', async () => {
  const [, owner] = stack.projects;
  const { body } = await callEncrypted(stack.url, owner, '/inquiry', {
    userId: owner.members[0]!.userId,
  });
  expect(body.response.code).toBe('000_000');
});
