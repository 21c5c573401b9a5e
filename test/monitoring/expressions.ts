import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { rows } from '../../monitoring/dashboard.ts';
import { alertRules } from './alert-rules.ts';

const objectives = readFileSync(join(projectDirectory, 'docs', 'slo.md'), 'utf8');

/** Every PromQL expression of alerts, dashboard and objectives. */
export const expressions: readonly string[] = [
  ...alertRules.map(({ expr }) => expr),
  ...Object.values(rows)
    .flat()
    .flatMap(({ queries }) => queries.map(([expression]) => expression)),
  ...[...objectives.matchAll(/^```promql\n([^]*?)^```/gm)].map(([, expression]) => expression!),
];
