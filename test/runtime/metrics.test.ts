import { expect, it } from 'vitest';
import { createMetrics } from '../../runtime/metrics.ts';
import type { Sample } from '../../runtime/read-gauges.ts';

const lastSuccess = 'schedule_last_success_timestamp_seconds';
const succeeded = (value: number): Sample<'temporal'>[] => [{ metric: lastSuccess, label: 'purge', value }];

it('what is read elsewhere is absent until it was read, and then in the first scrape', async () => {
  const metrics = createMetrics();
  const lines = async () => (await metrics.registry.metrics()).split('\n');
  const ofSchedules = async () => (await lines()).filter((line) => line.startsWith(lastSuccess));
  expect(await ofSchedules()).toEqual([]);
  metrics.readFrom('temporal', async () => succeeded(1_700_000_000));
  expect(await ofSchedules()).toEqual([`${lastSuccess}{schedule="purge"} 1700000000`]);
  // A step without a row is 0, so that no registration looks different from no reading.
  metrics.readFrom('database', async () => [{ metric: 'registrations_open', label: 'ARS_CALL', value: 2 }]);
  expect(await lines()).toEqual(
    expect.arrayContaining(['registrations_open{step="ARS_CALL"} 2', 'registrations_open{step="REVIEW"} 0']),
  );
});

it('scrapes read database and Temporal once in 15 seconds, however many they are', async () => {
  const metrics = createMetrics();
  let readings = 0;
  metrics.readFrom('temporal', async () => succeeded(++readings));
  for (const scrape of [1, 2, 3]) {
    expect(await metrics.registry.metrics(), String(scrape)).toContain(
      `${lastSuccess}{schedule="purge"} 1\n`,
    );
  }
});

it('a scrape waits for a database that does not answer a limited time, and shows the rest', async () => {
  const metrics = createMetrics();
  let readings = 0;
  metrics.readFrom('temporal', async () => succeeded(1));
  metrics.readFrom('database', () => {
    readings += 1;
    return new Promise(() => {});
  });
  expect(await metrics.registry.metrics()).toContain(`${lastSuccess}{schedule="purge"} 1`);
  // What does not answer is not asked again meanwhile.
  await metrics.registry.metrics();
  expect(readings).toBe(1);
});

it('what cannot be read keeps its values, and the time at which it was read', async () => {
  const metrics = createMetrics();
  metrics.readFrom('database', () => Promise.reject(new Error('away')));
  const text = await metrics.registry.metrics();
  expect(text).not.toMatch(/^(registrations_open|metrics_read_timestamp_seconds)\{/m);
  expect(text).toContain('# TYPE registrations_open gauge');
});
