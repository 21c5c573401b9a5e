import { VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** A query and how its series are named. */
type Query = readonly [expression: string, legend: string];

interface Panel {
  readonly title: string;
  /** As Grafana calls it. */
  readonly unit: 'short' | 's' | 'percentunit' | 'reqps' | 'bytes';
  readonly queries: readonly Query[];
}

const rate = (counter: string, labels: string, selector = '') =>
  `sum by (${labels}) (rate(${counter}${selector}[$__rate_interval]))`;
const quantile = (histogram: string, labels: string) =>
  `histogram_quantile(0.95, sum by (le, ${labels}) (rate(${histogram}_bucket[$__rate_interval])))`;
const requests = 'api_request_duration_seconds';
const toPaymentGateway = 'payment_gateway_request_duration_seconds';

/** What the dashboard shows, by row. */
export const rows: Readonly<Record<string, readonly Panel[]>> = {
  Registrations: [
    panel('Open, by step', 'short', ['max by (step) (registrations_open)', '{{step}}']),
    panel('Age of the oldest, by step', 's', [
      'max by (step) (registrations_oldest_age_seconds)',
      '{{step}}',
    ]),
    panel('Started', 'reqps', ['sum(rate(registrations_started_total[$__rate_interval]))', 'started']),
    panel('Ended', 'reqps', [rate('registrations_ended_total', 'status, code'), '{{status}} {{code}}']),
    panel('ARS calls that were passed', 'percentunit', [
      'sum(increase(ars_calls_total{outcome="PASSED"}[1h])) / sum(increase(ars_calls_total[1h]))',
      'passed',
    ]),
    panel('ARS calls', 'reqps', [rate('ars_calls_total', 'outcome'), '{{outcome}}']),
    panel('Unknown outcomes', 'short', ['max by (kind) (effects_open)', '{{kind}}']),
    panel('Age of the oldest unknown outcome', 's', [
      'max by (kind) (effects_oldest_age_seconds)',
      '{{kind}}',
    ]),
    panel('Contradictions', 'short', ['sum by (kind) (increase(contradictions_total[1h]))', '{{kind}}']),
    panel('Latest reconciliation', 'short', ['max by (kind) (reconciliation_registrations)', '{{kind}}']),
  ],
  'Result notifications': [
    panel(
      'Backlog',
      'short',
      ['max(result_notifications_pending)', 'pending'],
      ['max(result_notifications_held)', 'held: project not active'],
    ),
    panel('Lag', 's', ['max(result_notification_lag_seconds)', 'most overdue delivery']),
    panel('Deliveries', 'reqps', [rate('result_notifications_total', 'state'), '{{state}}']),
  ],
  'Payment gateway and banks': [
    panel('Requests', 'reqps', [
      rate(`${toPaymentGateway}_count`, 'operation, outcome'),
      '{{operation}} {{outcome}}',
    ]),
    panel('95th percentile', 's', [quantile(toPaymentGateway, 'operation'), '{{operation}}']),
    panel('Failures by bank', 'reqps', [
      rate('bank_request_duration_seconds_count', 'bank, operation', '{outcome="UNAVAILABLE"}'),
      '{{bank}} {{operation}}',
    ]),
    panel('Mean duration by bank', 's', [
      `${rate('bank_request_duration_seconds_sum', 'bank, operation')} / ${rate('bank_request_duration_seconds_count', 'bank, operation')}`,
      '{{bank}} {{operation}}',
    ]),
    panel('Open circuit breakers', 'short', [
      'sum by (circuit) (payment_gateway_circuit_open)',
      '{{circuit}}',
    ]),
    panel('Maintenance windows', 'short', ['max by (bank) (bank_closed)', '{{bank}}']),
    panel('Callbacks', 'reqps', [
      rate('payment_gateway_callbacks_total', 'kind, known'),
      '{{kind}} known={{known}}',
    ]),
  ],
  API: [
    panel('Requests', 'reqps', [rate(`${requests}_count`, 'status'), '{{status}}']),
    panel('95th percentile', 's', [quantile(requests, 'route'), '{{route}}']),
    panel('In flight', 'short', ['sum(api_requests_in_flight)', 'requests']),
    panel('Refused by limits', 'reqps', [
      rate('api_limited_requests_total', 'project, limit'),
      '{{project}} {{limit}}',
    ]),
  ],
  'Workers, sweep and schedules': [
    panel('Workers that poll', 'short', ['max by (type) (task_queue_pollers)', '{{type}}']),
    panel(
      'Backlog',
      'short',
      ['max by (type) (task_queue_backlog)', '{{type}} tasks'],
      ['max by (type) (task_queue_backlog_age_seconds)', '{{type}} age in seconds'],
    ),
    panel(
      'Failed workflow tasks and stuck runs',
      'short',
      ['sum(increase(workflow_task_failures_total[10m]))', 'failed workflow tasks'],
      ['sum(increase(registration_runs_stuck_total[10m]))', 'stuck runs'],
      ['sum(increase(registration_runs_replaced_total[10m]))', 'replaced runs'],
    ),
    panel('Rows that the sweep took', 'reqps', [
      rate('sweep_rows_total', 'kind, outcome'),
      '{{kind}} {{outcome}}',
    ]),
    panel('Since the last sweep', 's', ['time() - max(sweep_last_success_timestamp_seconds)', 'sweep']),
    panel('Since the last success of each schedule', 's', [
      'time() - max by (schedule) (schedule_last_success_timestamp_seconds)',
      '{{schedule}}',
    ]),
  ],
  Processes: [
    panel('Readiness problems', 'short', ['sum by (kind) (readiness_problems)', '{{kind}}']),
    panel(
      'Database pool',
      'short',
      ['sum by (state) (database_pool_connections)', '{{state}}'],
      ['sum(database_pool_max_connections)', 'at most'],
      ['sum(database_pool_waiting_requests)', 'waiting requests'],
    ),
    panel('Versions', 'short', ['count by (version, build_id) (build_info)', '{{version}} {{build_id}}']),
    panel('Age of what was read', 's', [
      'time() - max by (source) (metrics_read_timestamp_seconds)',
      '{{source}}',
    ]),
    panel(
      'Database restored, audit trail broken',
      'short',
      ['max(database_restored)', 'restored'],
      ['sum(increase(database_failovers_total[1h]))', 'failovers'],
      ['max(audit_trail_broken)', 'audit trail broken'],
    ),
    panel('Memory', 'bytes', ['process_resident_memory_bytes', '{{instance}}']),
    panel('Event loop, 99th percentile of the delay', 's', [
      'nodejs_eventloop_lag_p99_seconds',
      '{{instance}}',
    ]),
  ],
};

function panel(title: string, unit: Panel['unit'], ...queries: readonly Query[]): Panel {
  return { title, unit, queries };
}

/** The dashboard as Grafana imports it. */
export function buildDashboard(): unknown {
  const dashboard = new DashboardBuilder('Withdrawal account registration')
    .uid('withdrawal-account-registration')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
  for (const [title, panels] of Object.entries(rows)) {
    dashboard.withRow(new RowBuilder(title));
    for (const { title: name, unit, queries } of panels) {
      const graph = new PanelBuilder().title(name).unit(unit).min(0).span(8).height(7);
      graph.legend(new VizLegendOptionsBuilder().showLegend(true));
      graph.datasource({ type: 'prometheus', uid: '${datasource}' });
      for (const [expression, legend] of queries) {
        graph.withTarget(new DataqueryBuilder().expr(expression).legendFormat(legend));
      }
      dashboard.withPanel(graph);
    }
  }
  return dashboard.build();
}
