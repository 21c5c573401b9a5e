import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';

/** Where the alert rules are. */
export const rulesFile = join(projectDirectory, 'monitoring', 'alerts.yml');

/** An alert rule of Prometheus. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The rules of {@link rulesFile}. */
export const alertRules = (
  parse(readFileSync(rulesFile, 'utf8')) as { readonly groups: readonly { readonly rules: AlertRule[] }[] }
).groups.flatMap(({ rules }) => rules);
