import type { Verdict } from './invariants.ts';
import type { Observations } from './observer.ts';
import type { SystemUnderTest } from './system-under-test.ts';

/** How many violations of an invariant are printed. */
const maxCases = 12;

/** What happened in a run, as lines of a table. */
export function countsTable(
  { journal, registrations, received, calls, ledger, evidence }: Observations,
  { processes, callbackProxy, notificationReceiver }: SystemUnderTest,
  faults: ReadonlyMap<string, number>,
): string[] {
  const ends = new Map<string, number>();
  for (const { status, resultCode } of registrations) {
    const end = resultCode === null ? status : `${status} ${resultCode}`;
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  const processCounts = Object.entries(processes).map(
    ([name, { counts }]) =>
      `${name} ${counts.kills}${counts.failedStarts > 0 ? ` (and ${counts.failedStarts} failed starts)` : ''}`,
  );
  const rows: [string, string][] = [
    ['registrations by end', formatCounts(ends)],
    ['registration numbers', `${journal.statuses.size}, of which cancelled ${journal.cancelled.size}`],
    ['at the payment gateway', `${calls.length} calls, ${ledger.length} registrations`],
    ['evidence stored', String(evidence.length)],
    [
      'results received',
      `${received.length} for ${new Set(received.map(({ bankAccRegNo }) => bankAccRegNo)).size} numbers`,
    ],
    ['faults', formatCounts(faults)],
    ['kills by SIGKILL', processCounts.join(', ')],
    ['callbacks by behaviour', formatCounts(callbackProxy.counts)],
    ['results by behaviour', formatCounts(notificationReceiver.counts)],
    ['retried because of', formatCounts(journal.unavailable)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

/** The verdicts as lines of a table. */
export function verdictTable(verdicts: readonly Verdict[]): string[] {
  const width = Math.max(...verdicts.map(({ name }) => name.length));
  return [
    `${'invariant'.padEnd(width)} | checked | broken`,
    `${'-'.repeat(width)}-|--------:|------:`,
    ...verdicts.map(
      ({ name, checked, broken }) =>
        `${name.padEnd(width)} | ${String(checked).padStart(7)} | ${String(broken.length).padStart(6)}`,
    ),
    ...verdicts.flatMap(({ name, broken }) => [
      ...(broken.length > 0 ? ['', `broken: ${name}`] : []),
      ...broken.slice(0, maxCases).map((line) => `  ${line}`),
      ...(broken.length > maxCases ? [`  and ${broken.length - maxCases} more`] : []),
    ]),
  ];
}

/** The last line of a run. */
export function summaryLine(verdicts: readonly Verdict[]): string {
  const held = verdicts.filter(({ broken }) => broken.length === 0).length;
  return `invariants: ${held} held, ${verdicts.length - held} broken`;
}

function formatCounts(counts: ReadonlyMap<string, number>): string {
  const entries = [...counts].toSorted(([, one], [, other]) => other - one);
  return entries.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}
