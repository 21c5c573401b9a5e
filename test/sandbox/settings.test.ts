import { expect, test } from 'vitest';
import { readSettings } from '../../development/sandbox/settings.ts';
import { sandboxConfigSchema } from '../../development/sandbox/config.ts';

test('every setting of the service is passed on to it, and nothing else', () => {
  const names = Object.keys(sandboxConfigSchema.shape).filter((name) => name !== 'PORT');
  expect(names).toEqual(expect.arrayContaining(['LOG_LEVEL', 'TIME_WINDOW_MS', 'METRICS_HOST']));
  const settings = Object.fromEntries(names.map((name) => [name, `the value of ${name}`]));

  expect(readSettings({ ...settings, SOMETHING_ELSE: 'x' }).serviceEnvironment).toEqual(settings);
});
