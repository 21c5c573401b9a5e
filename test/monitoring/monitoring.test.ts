import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { buildDashboard, rows } from '../../monitoring/dashboard.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { alertCases } from './alert-cases.ts';
import { alertRules } from './alert-rules.ts';
import { expressions } from './expressions.ts';
import { groupingLabels, metricsIn } from './metrics-in-expression.ts';

const { registry } = createMetrics();
/** The labels of a metric; undefined if it does not exist. */
function labelsOf(name: string): readonly string[] | undefined {
  const [, family = name] = /^(.*)_(?:bucket|sum|count)$/.exec(name) ?? [];
  const metric = registry.getSingleMetric(name) ?? registry.getSingleMetric(family);
  return metric && [...(metric as unknown as { labelNames: readonly string[] }).labelNames, 'le'];
}

it.each(expressions)('every metric and label exists in %s', (expression) => {
  const found = metricsIn(expression);
  expect(found.length).toBeGreaterThan(0);
  for (const { name, labels } of found) {
    expect(labelsOf(name), name).toEqual(expect.arrayContaining([...labels, ...groupingLabels(expression)]));
  }
});

it.each(alertRules)(
  'the alert $alert has a case, a severity and a runbook',
  ({ alert, labels, annotations }) => {
    expect(alertCases).toHaveProperty(alert);
    expect(labels['severity']).toMatch(/^(page|ticket)$/);
    expect(annotations['summary']).toMatch(/^[A-Z]/);
    expect(annotations['runbook_url']).toBe(`docs/runbooks/${alert}.md`);
    const page = join(projectDirectory, annotations['runbook_url']!);
    expect(existsSync(page), page).toBe(true);
    expect(readFileSync(page, 'utf8')).toMatch(new RegExp(`^# ${alert}\n`));
  },
);

it('each runbook belongs to an alert', () => {
  const pages = readdirSync(join(projectDirectory, 'docs', 'runbooks')).filter(
    (name) => name !== 'README.md',
  );
  expect(pages.toSorted()).toEqual(alertRules.map(({ alert }) => `${alert}.md`).toSorted());
});

it('the dashboard shows each panel with its queries', () => {
  const { panels } = buildDashboard() as { panels: { type: string; targets?: { expr: string }[] }[] };
  const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(shown).toEqual(
    Object.values(rows)
      .flat()
      .flatMap(({ queries }) => queries.map(([query]) => query)),
  );
});

it.each([
  [
    'sum by (le, kind) (rate(a_bucket{b!="c d", e=~"f"}[5m])) / max(g) > 3',
    [
      ['a_bucket', ['b', 'e']],
      ['g', []],
    ],
  ],
  [
    'time() - max by (schedule) (last) > 26 * 3600 or absent(build_info)',
    [
      ['last', []],
      ['build_info', []],
    ],
  ],
] as const)('metrics are found in %s', (expression, found) => {
  expect(metricsIn(expression).map(({ name, labels }) => [name, labels])).toEqual(found);
});
