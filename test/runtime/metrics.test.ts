import { expect, it } from 'vitest';
import { createMetrics } from '../../runtime/metrics.ts';

it('the age of the latest reconciliation is absent until one has ended, and then in the first scrape', async () => {
  const metrics = createMetrics();
  let latest: { endedAt: Date; counts: Record<string, number> } | undefined;
  metrics.watchReconciliations(async () => latest);
  const ageIn = async () => /^reconciliation_age_seconds (\S+)$/m.exec(await metrics.registry.metrics())?.[1];
  expect(await ageIn()).toBeUndefined();
  latest = { endedAt: new Date(Date.now() - 60_000), counts: { matching: 1 } };
  expect(Number(await ageIn())).toBeGreaterThanOrEqual(60);
});
