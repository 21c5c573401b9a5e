import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { alertCases, minutes } from './alert-cases.ts';
import { alertRules, rulesFile } from './alert-rules.ts';
import type { AlertRule } from './alert-rules.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool)
  process.stderr.write('NOT CARRIED OUT: alerts are not tested without promtool (Debian: prometheus).\n');

const quiet = Object.assign({}, ...Object.values(alertCases).map((alertCase) => alertCase.quiet)) as object;

/** Runs promtool on a test of the rules. Throws with what it says when an alert is not as expected. */
function test(series: object, rules: readonly AlertRule[], expected: (rule: AlertRule) => readonly object[]) {
  const file = join(temporaryDirectory(), 'test.yml');
  const group = {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values: String(values) })),
    alert_rule_test: rules.map((rule) => ({
      eval_time: `${minutes}m`,
      alertname: rule.alert,
      exp_alerts: expected(rule),
    })),
  };
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({ rule_files: [rulesFile], evaluation_interval: '30m', tests: [group] }),
  );
  return execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
}

it.skipIf(!hasPromtool).each(alertRules)('the alert $alert fires', (rule) => {
  const { firing, labels } = alertCases[rule.alert]!;
  const alert = { exp_labels: { ...rule.labels, ...labels }, exp_annotations: rule.annotations };
  for (const series of firing) expect(test(series, [rule], () => [alert])).toContain('SUCCESS');
});

it.skipIf(!hasPromtool)('no alert fires for a service where everything is nearly an alert', () => {
  expect(test(quiet, alertRules, () => [])).toContain('SUCCESS');
});
