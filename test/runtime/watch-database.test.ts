import { expect, it, vi } from 'vitest';
import type { DatabaseWitness } from '../../composition/database-witness.ts';
import { watchDatabase } from '../../composition/watch-database.ts';
import type { AuditTrailHead } from '../../database/audit-trail.ts';
import type { DatabaseMark } from '../../database/incarnations.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';

const mark: DatabaseMark = { bornAt: 1, begunAt: 1, position: '1000' };
const empty = { head: async () => undefined, continues: async () => true };
const nobody: DatabaseWitness = { read: async () => undefined, write: async () => undefined };

it.each([
  ['KNOWN', 0, 0, /^$/],
  ['RESTORED', 1, 0, /nothing is sent until: operator restored/],
  ['FAILED_OVER', 0, 1, /everything goes on/],
] as const)('a database that is %s shows in metrics and log', async (found, restored, failovers, logged) => {
  const lines: string[] = [];
  const metrics = createMetrics();
  const log = createLog('test', 'info', (line) => lines.push(line));
  const incarnations = { look: async () => found, mark: async () => undefined, remember: () => {} };
  const stop = await watchDatabase(
    { stores: { incarnations, auditTrail: empty }, witness: nobody, log, metrics },
    'synchronous',
  );
  stop();
  const values = await Promise.all([metrics.databaseRestored.get(), metrics.databaseFailovers.get()]);
  expect(values.map((metric) => metric.values[0]?.value)).toEqual([restored, failovers]);
  expect(lines.join('')).toMatch(logged);
});

it('what the witness remembers is taken over before the first look, and the witness is told the present', async () => {
  const done: string[] = [];
  const incarnations = {
    look: async () => (done.push('look'), 'KNOWN' as const),
    mark: async () => mark,
    remember: ({ position }: DatabaseMark) => void done.push(`remember ${position}`),
  };
  const witness: DatabaseWitness = {
    read: async () => ({ ...mark, position: '900' }),
    write: async ({ position }) => void done.push(`write ${position}`),
  };
  const stop = await watchDatabase(
    { stores: { incarnations, auditTrail: empty }, witness, ...silent() },
    'asynchronous',
  );
  stop();
  expect(done).toEqual(['remember 900', 'look', 'write 1000']);
});

it('a witness that does not answer is asked again, and is told nothing before it has answered', async () => {
  vi.useFakeTimers();
  const answers = [new Error('It is away, says the test.'), mark];
  const done: string[] = [];
  const incarnations = {
    look: async () => 'KNOWN' as const,
    mark: async () => mark,
    remember: () => void done.push('remember'),
  };
  const witness: DatabaseWitness = {
    async read() {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    write: async () => void done.push('write'),
  };
  const stop = await watchDatabase(
    { stores: { incarnations, auditTrail: empty }, witness, ...silent() },
    'asynchronous',
  );
  expect(done).toEqual([]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(done).toEqual(['remember', 'write']);
  stop();
  vi.useRealTimers();
});

it('the end of the audit trail is published, and told to the witness; a trail that has lost it raises the alarm', async () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  const log = createLog('test', 'info', (line) => lines.push(line));
  const metrics = createMetrics();
  const incarnations = { look: async () => 'KNOWN' as const, mark: async () => mark, remember: () => {} };
  const head = (sequence: number) => ({ sequence, at: new Date(0), hash: String(sequence).repeat(64) });
  let trail = [head(1), head(2)];
  const auditTrail = {
    head: async () => trail.at(-1),
    continues: async ({ hash }: AuditTrailHead) => trail.some((entry) => entry.hash === hash),
  };
  const told: (number | undefined)[] = [];
  const witness: DatabaseWitness = {
    read: async () => ({ ...mark, auditTrailHead: head(1) }),
    write: async ({ auditTrailHead }) => void told.push(auditTrailHead?.sequence),
  };
  const stop = await watchDatabase(
    { stores: { incarnations, auditTrail }, witness, log, metrics },
    'asynchronous',
  );
  const values = async () => {
    const gauges = [metrics.auditTrailEntries, metrics.auditTrailHead, metrics.auditTrailBroken];
    return (await Promise.all(gauges.map((gauge) => gauge.get()))).map((metric) => metric.values[0]?.value);
  };
  expect(await values()).toEqual([2, 0x222222222222, 0]);
  expect(lines.join('')).toContain(`"head":"2/1970-01-01T00:00:00.000Z/${'2'.repeat(64)}"`);
  trail = [head(1)];
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await values()).toEqual([2, 0x222222222222, 1]);
  expect(lines.join('')).toContain('the audit trail has lost an entry: operator trail --verify');
  expect(told).toEqual([2, 2]);
  stop();
  vi.useRealTimers();
});

function silent() {
  return { log: createLog('test', 'silent'), metrics: createMetrics() };
}
