import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { startTemporalServer } from '../../development/sandbox/temporal-server.ts';
import type { TemporalServer } from '../../development/sandbox/temporal-server.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

async function customSearchAttributes({ address }: TemporalServer): Promise<string[]> {
  const connection = await Connection.connect({ address });
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    return Object.keys(customAttributes);
  } finally {
    await connection.close();
  }
}

test('an existing database keeps its search attributes and gets new ones', async () => {
  const databaseFile = join(temporaryDirectory(), 'temporal.db');
  const options = { executable: inject('temporalExecutable'), headless: true, databaseFile };

  const first = await startTemporalServer({
    ...options,
    port: await findFreePort(),
    searchAttributes: ['First'],
  });
  onTestFinished(() => first.stop());
  expect(await customSearchAttributes(first)).toContain('First');
  await first.stop();

  const searchAttributes = ['First', 'Second'];
  const second = await startTemporalServer({ ...options, port: await findFreePort(), searchAttributes });
  onTestFinished(() => second.stop());
  expect(await customSearchAttributes(second)).toEqual(expect.arrayContaining(searchAttributes));
  expect(second.uiUrl).toBeUndefined();
});

test('a server that cannot start is reported', async () => {
  const databaseFile = join(temporaryDirectory(), 'missing', 'temporal.db');
  const start = startTemporalServer({
    executable: inject('temporalExecutable'),
    port: await findFreePort(),
    headless: true,
    databaseFile,
  });

  await expect(start).rejects.toThrow(/^The Temporal server exited unexpectedly with code 1\./);
});
