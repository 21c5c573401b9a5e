import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sandboxConfigSchema } from '../../development/sandbox/config.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { readSettings } from '../../development/sandbox/settings.ts';
import { apiConfigSchema, readConfig, workerConfigSchema } from '../../runtime/config.ts';

/** The variables in the tables of docs/configuration.md, except those of the sandbox or of operators alone. */
const documented = readFileSync(join(projectDirectory, 'docs', 'configuration.md'), 'utf8')
  .split('\n### The sandbox\n')[0]!
  .split('\n')
  .filter((line) => /^\| `[A-Z]/.test(line) && !/^\|[^|]*\| operator +\|/.test(line))
  .flatMap((line) => [...line.split('|')[1]!.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!))
  .filter((name) => name !== 'PORT');

it('the documented settings are those of the API and the worker', () => {
  const catalogue = new Set([
    ...Object.keys(apiConfigSchema.shape),
    ...Object.keys(workerConfigSchema.shape),
  ]);
  expect(['PORT', ...documented].toSorted()).toEqual([...catalogue].toSorted());
});

it.each(documented)('%s is passed on to the service, or named as one that the sandbox decides', (name) => {
  for (const given of [name, `${name}_FILE`]) {
    const { serviceEnvironment, ignored } = readSettings({ [given]: 'something' });
    expect([...Object.keys(serviceEnvironment), ...ignored]).toEqual([given]);
  }
});

it.each(['LOG_LEVEL', 'TIME_WINDOW_MS', 'METRICS_HOST', 'CALLING_HOURS', 'ARS_CALLS_PER_PHONE'])(
  '%s is passed on',
  (name) => {
    expect(readSettings({ [name]: 'something' }).serviceEnvironment).toEqual({ [name]: 'something' });
  },
);

it('no key, secret or address of another system reaches the sandbox', () => {
  const others = documented.filter((name) => /_KEYS?$|SECRET|TOKEN|URL$|HOST$|ORIGIN/.test(name));
  const environment = Object.fromEntries(others.map((name) => [name, 'something']));
  expect(readSettings(environment).serviceEnvironment).toEqual({ METRICS_HOST: 'something' });
});

it('without settings the sandbox calls at any hour and as often as its policy says', () => {
  const required = ['DATABASE_KEYS', 'PAYLOAD_KEYS'].map((name) => [name, `test:${'A'.repeat(43)}=`]);
  const environment = {
    ...Object.fromEntries(required),
    PG_BASE_URL: 'http://127.0.0.1:9',
    PG_CALLBACK_URL: 'http://127.0.0.1:9',
    PG_SHARED_SECRET: 'a-secret-for-this-test',
    CODEC_ALLOWED_ORIGIN: 'http://127.0.0.1:9',
    DATA_DIR: 'data',
  };
  const read = (settings: Readonly<Record<string, string>>) =>
    readConfig(sandboxConfigSchema, { ...environment, ...settings }, () => '');
  const { member } = sandboxPolicy.arsCall.dailyLimits;
  expect(read({})).toMatchObject({ CALLING_HOURS: undefined, ARS_CALLS_PER_MEMBER: member });
  expect(read({ CALLING_HOURS: '09:00-10:00', ARS_CALLS_PER_MEMBER: '3' })).toMatchObject({
    CALLING_HOURS: expect.anything(),
    ARS_CALLS_PER_MEMBER: 3,
  });
});
