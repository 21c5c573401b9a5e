import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createStores } from '../../database/stores.ts';
import { loadCredentials, seed } from '../../development/sandbox/credentials.ts';
import { openPglite } from '../../development/sandbox/embedded-database.ts';
import { readConfig, workerConfigSchema } from '../../runtime/config.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { startProgram } from './process-group.ts';

const common = ['DATABASE_KEYS', 'PAYLOAD_KEYS', 'PG_BASE_URL', 'PG_SHARED_SECRET', 'PG_CALLBACK_URL'];

it.for([
  ['api/main.ts', ['DATABASE_URL', 'CODEC_ALLOWED_ORIGIN', 'CODEC_TOKENS', 'OPERATOR_TOKENS', ...common]],
  ['worker/main.ts', ['DATABASE_URL', ...common]],
  ['development/sandbox/service.ts', ['DATA_DIR', 'CODEC_ALLOWED_ORIGIN', ...common]],
] as const)('%s names every variable it lacks', async ([file, names]) => {
  const program = startProgram(file, {});
  expect(await program.exited).toBe(1);
  const named = [...program.output().matchAll(/^ {2}([A-Z_]+)/gm)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(names));
  expect(program.output()).not.toMatch(/^\s+at /m);
});

it('refuses two keys with the same ID', async () => {
  const key = (byte: number) => `same:${Buffer.alloc(32, byte).toString('base64')}`;
  const program = startProgram('worker/main.ts', { DATABASE_KEYS: `${key(1)},${key(2)}` });
  expect(await program.exited).toBe(1);
  expect(program.output()).toMatch(/^ {2}DATABASE_KEYS: .*Two keys have the same ID/m);
});

it('names the malformed keys without repeating their values', async () => {
  const program = startProgram('development/sandbox/service.ts', {
    DATABASE_KEYS: 'no-keys-but-a-long-text',
    PAYLOAD_KEYS: `test:${Buffer.alloc(31).toString('base64')}`,
    PG_BASE_URL: 'http://127.0.0.1:9',
    PG_CALLBACK_URL: 'http://127.0.0.1:9',
    PG_SHARED_SECRET: 'a-secret-for-this-test',
    CODEC_ALLOWED_ORIGIN: 'http://127.0.0.1:9',
    DATA_DIR: temporaryDirectory(),
  });
  expect(await program.exited).toBe(1);
  expect(program.output()).toMatch(/^ {2}DATABASE_KEYS: /m);
  expect(program.output()).toMatch(/^ {2}PAYLOAD_KEYS: /m);
  expect(program.output()).not.toMatch(/^\s+at |long-text|AAAA/m);
});

it('names malformed calling hours and limits', async () => {
  const program = startProgram('api/main.ts', { CALLING_HOURS: '8-21', ARS_CALLS_PER_PHONE: 'ten' });
  expect(await program.exited).toBe(1);
  expect(program.output()).toMatch(/^ {2}CALLING_HOURS: .*HH:MM-HH:MM/m);
  expect(program.output()).toMatch(/^ {2}ARS_CALLS_PER_PHONE: .*a day to one phone number/m);
});

it('names a missing database key before anything else starts', async () => {
  const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
  const directory = temporaryDirectory();
  const database = await openPglite({ dataDir: join(directory, 'database') });
  const credentials = await loadCredentials(join(directory, 'credentials.json'));
  await seed(createStores(database.queries, key('first-key')), credentials);
  await database.close();

  const program = startProgram('development/sandbox/service.ts', {
    DATABASE_KEYS: key('second-key'),
    PAYLOAD_KEYS: key('test'),
    PG_BASE_URL: 'http://127.0.0.1:9',
    PG_CALLBACK_URL: 'http://127.0.0.1:9',
    PG_SHARED_SECRET: 'a-secret-for-this-test',
    CODEC_ALLOWED_ORIGIN: 'http://127.0.0.1:9',
    DATA_DIR: directory,
    TEMPORAL_ADDRESS: '127.0.0.1:9',
  });
  expect(await program.exited).toBe(1);
  expect(program.output()).toMatch(
    /^DATABASE_KEYS lacks keys that are still needed: first-key \(seals \d+ rows\)\. Add them again .*keys status$/m,
  );
  expect(program.output()).not.toMatch(/^\s+at /m);
});

it.for([
  ['TEMPORAL_DEPLOYMENT_NAME', 'TEMPORAL_BUILD_ID'],
  ['TEMPORAL_BUILD_ID', 'TEMPORAL_DEPLOYMENT_NAME'],
] as const)('%s without %s is refused, because the worker would get no work', async ([given, missing]) => {
  const program = startProgram('worker/main.ts', {
    NODE_ENV: 'development',
    DATABASE_URL: 'postgres://127.0.0.1:9/nothing',
    DATABASE_KEYS: `test:${Buffer.alloc(32).toString('base64')}`,
    PAYLOAD_KEYS: `test:${Buffer.alloc(32).toString('base64')}`,
    PG_BASE_URL: 'http://127.0.0.1:9',
    PG_CALLBACK_URL: 'http://127.0.0.1:9',
    PG_SHARED_SECRET: 'a-secret-for-this-test',
    [given]: 'something',
  });
  await program.untilOutput(/lacks what this process needs|waiting for PostgreSQL/);
  expect(program.output()).toMatch(new RegExp(`^  ${missing}: Required beside ${given}`, 'm'));
  expect(await program.exited).toBe(1);
});

it.for([
  [{ CONCURRENT_ACTIVITIES: '101' }, 'CONCURRENT_ACTIVITIES: At most 10 times DATABASE_CONNECTIONS'],
  [{ DATABASE_CONNECTIONS: '9' }, 'CONCURRENT_ACTIVITIES: At most 10 times DATABASE_CONNECTIONS'],
  [{ CONCURRENT_WORKFLOW_TASKS: '1' }, 'CONCURRENT_WORKFLOW_TASKS: '],
  [{ DATABASE_CONNECTIONS: '11', CONCURRENT_ACTIVITIES: '110' }, 'accepted'],
] as const)('a worker with %j: %s', ([settings, outcome]) => {
  const key = `test:${Buffer.alloc(32).toString('base64')}`;
  const environment = {
    DATABASE_URL: 'postgres://127.0.0.1:9/nothing',
    DATABASE_KEYS: key,
    PAYLOAD_KEYS: key,
    PG_BASE_URL: 'http://127.0.0.1:9',
    PG_CALLBACK_URL: 'http://127.0.0.1:9',
    PG_SHARED_SECRET: 'a-secret-for-this-test',
    ...settings,
  };
  const read = () => {
    try {
      readConfig(workerConfigSchema, environment, () => '');
      return 'accepted';
    } catch (error) {
      return String(error);
    }
  };
  expect(read()).toContain(outcome);
});
