import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createLog } from '../../runtime/log.ts';
import { settingsSource, watchSettings } from '../../runtime/reloaded-settings.ts';
import { temporalConnection } from '../../runtime/temporal.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

const schema = z.object({ OPERATOR_TOKEN: z.string() });

describe('the files of the settings', () => {
  it('are those of our own settings and of Temporal’s', () => {
    const { files } = settingsSource(schema, {
      OPERATOR_TOKEN_FILE: '/token',
      TEMPORAL_TLS_CLIENT_CERT_PATH: '/certificate',
      TEMPORAL_CONFIG_FILE: '/temporal.toml',
      CODEC_TOKEN_FILE: '',
      SOMEBODY_ELSES_FILE: '/other',
      PATH: '/bin',
    });
    expect(files).toEqual(['/token', '/certificate', '/temporal.toml']);
  });

  it('are read again when their content changes, until the settings are accepted', async () => {
    const file = join(temporaryDirectory(), 'token');
    writeFileSync(file, 'first');
    const source = settingsSource(schema, { OPERATOR_TOKEN_FILE: file });
    const lines: string[] = [];
    const attempts: string[] = [];
    const stop = watchSettings(source.files, 10)(
      createLog('test', 'info', (line) => lines.push(line)),
      async () => {
        attempts.push(source.read().OPERATOR_TOKEN);
        if (attempts.length === 1) throw new Error('Not yet, says the test');
      },
    );
    onTestFinished(stop);
    // The same content again is no change.
    writeFileSync(file, 'first');
    writeFileSync(file, 'second');
    await expect.poll(() => lines.join('')).toContain('the new ones are in force');
    expect(attempts).toEqual(['second', 'second']);
    expect(lines[0]).toContain('the former ones stay in force');
    rmSync(file);
    await expect.poll(() => lines.at(-1)).toContain('the former ones stay in force');
    expect(attempts).toEqual(['second', 'second']);
  });
});

it('an API key for Temporal turns TLS on', () => {
  const { connectionOptions } = temporalConnection({ TEMPORAL_API_KEY: 'a-key-of-this-test' });
  expect(connectionOptions).toMatchObject({ apiKey: 'a-key-of-this-test', tls: true });
});
