import { expect, it } from 'vitest';
import { watchDatabase } from '../../composition/watch-database.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';

it.each([
  ['KNOWN', 0, 0, /^$/],
  ['RESTORED', 1, 0, /nothing is sent until: operator restored/],
  ['FAILED_OVER', 0, 1, /everything goes on/],
] as const)('a database that is %s shows in metrics and log', async (found, restored, failovers, logged) => {
  const lines: string[] = [];
  const metrics = createMetrics();
  const log = createLog('test', 'info', (line) => lines.push(line));
  const stop = await watchDatabase(
    { stores: { incarnations: { look: async () => found } }, log, metrics },
    'synchronous',
  );
  stop();
  const values = await Promise.all([metrics.databaseRestored.get(), metrics.databaseFailovers.get()]);
  expect(values.map((metric) => metric.values[0]?.value)).toEqual([restored, failovers]);
  expect(lines.join('')).toMatch(logged);
});
