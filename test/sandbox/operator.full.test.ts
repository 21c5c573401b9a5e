import { afterAll, beforeAll, expect, it } from 'vitest';
import { announceSandbox } from '../../command-line/running-sandbox.ts';
import { createSandboxOperator } from '../../development/sandbox/operator.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { sandboxRoutes } from '../../development/sandbox/routes.ts';
import { createLog } from '../../runtime/log.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { startGroup } from '../processes/process-group.ts';

const token = 'the-token-of-this-start';
let stack: Stack;
/** Of an API with the operator's route. */
let url: string;

beforeAll(async () => {
  stack = await startStack();
  const service = { ...stack, paymentGateway: stack.simulated, log: createLog('test', 'silent') };
  const operator = { token, run: createSandboxOperator(service, sandboxPolicy) };
  const serveSandbox = sandboxRoutes({ credentials: {}, phoneUrl: stack.simulatorUrl, operator });
  url = await stack.startAnotherApi({ serveSandbox });
});
afterAll(() => stack.close());

function operate(environment: Readonly<Record<string, string>>, ...words: readonly string[]) {
  return startGroup(
    process.execPath,
    ['--import', 'tsx', 'development/run-from-source/operator.ts', ...words],
    environment,
  );
}

it('operator finds the sandbox that answers and became ready last, and works on its database', async () => {
  const environment = { XDG_STATE_HOME: temporaryDirectory() };
  announceSandbox(environment, { url: 'http://localhost:9', operatorToken: token, readyAt: 3 });
  announceSandbox(environment, { url, operatorToken: token, readyAt: 2 });
  announceSandbox(environment, { url: stack.url, operatorToken: 'of-another-start', readyAt: 1 });

  const { aspId } = stack.projects[0];
  const set = operate(environment, 'project', 'state', '--asp', aspId, '--state', 'INACTIVE');
  expect(await set.exited).toBe(0);
  expect(set.output()).toContain(`In the sandbox at ${url}:\n`);
  expect((await stack.stores.projects.find(aspId))?.state).toBe('INACTIVE');

  const refused = operate(environment, 'project', 'state', '--asp', 'SANDBOXASP00009', '--state', 'ACTIVE');
  expect(await refused.exited).toBe(1);
  const wrong = operate(environment, 'project', 'state');
  expect(await wrong.exited).toBe(2);
  expect(wrong.output()).toContain('project state needs --asp, --state.');
});

it('an operator who names a database or keys, or is in production, is not sent to the sandbox', async () => {
  const environment = { XDG_STATE_HOME: temporaryDirectory() };
  announceSandbox(environment, { url, operatorToken: token, readyAt: 1 });
  for (const own of [{ DATABASE_URL: 'postgres://127.0.0.1:9/nothing' }, { NODE_ENV: 'production' }]) {
    const program = operate({ ...environment, ...own }, 'reviews');
    expect(await program.exited).toBe(1);
    expect(program.output()).toContain('The environment lacks what this process needs');
  }
});

it.each([undefined, 'Bearer another-token'])('without the token a command is refused: %s', async (header) => {
  const answer = await fetch(`${url}/sandbox/operator`, {
    method: 'POST',
    headers: header === undefined ? {} : { authorization: header },
    body: '{"words":["reviews"]}',
  });
  expect(answer.status).toBe(401);
});
