/** Values of series by minute, as promtool reads them; each goes on for 28 hours. */
type Series = Readonly<Record<string, string>>;

/** When an alert fires, and when it does not, though nearly. */
interface AlertCase {
  readonly firing: readonly Series[];
  readonly quiet: Series;
  /** Of the alert that fires, beside its severity. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** How many minutes the series have. */
export const minutes = 28 * 60;

const always = (value: number) => `${value}x${minutes}`;
/** A counter that grows by so much each minute. */
const growing = (value: number) => `0+${value}x${minutes}`;
/** A counter that grew once, five minutes before the end. */
const grown = `0x${minutes - 6} 1x5`;
const now = growing(60);
const answered = (status: number) =>
  `api_request_duration_seconds_count{route="/",status="${status}",code=""}`;
const within = (seconds: string) => `api_request_duration_seconds_bucket{route="/",le="${seconds}"}`;
const requested = (outcome: string) =>
  `payment_gateway_request_duration_seconds_count{operation="register",outcome="${outcome}"}`;
const requestedWithin = (seconds: string) =>
  `payment_gateway_request_duration_seconds_bucket{operation="register",outcome="REGISTERED",le="${seconds}"}`;
const ageOf = (kind: string) => `effects_oldest_age_seconds{kind="${kind}"}`;
const oldestIn = (step: string) => `registrations_oldest_age_seconds{step="${step}"}`;
const called = (outcome: string) => `ars_calls_total{outcome="${outcome}"}`;
const circuit = (name: string) => `payment_gateway_circuit_open{circuit="${name}"}`;
const lastSuccess = 'schedule_last_success_timestamp_seconds{schedule="reconciliation"}';
const found = (kind: string) => `reconciliation_registrations{kind="${kind}"}`;
const sweepFailed = 'sweep_rows_total{kind="REMOVAL",outcome="failed"}';
const exhausted = 'result_notifications_total{state="EXHAUSTED"}';
const contradicted = 'contradictions_total{kind="ARS_CALL"}';

/** The case of each alert. */
export const alertCases: Readonly<Record<string, AlertCase>> = {
  NoMetrics: { firing: [{}], quiet: { 'build_info{version="1.0.0"}': always(1) } },
  MetricsOutdated: {
    firing: [{ 'metrics_read_timestamp_seconds{source="database"}': always(0) }],
    quiet: { 'metrics_read_timestamp_seconds{source="database"}': now },
    labels: { source: 'database' },
  },
  ErrorBudgetBurns: {
    firing: [{ [answered(200)]: growing(980), [answered(503)]: growing(20) }],
    quiet: { [answered(200)]: growing(990), [answered(503)]: growing(10) },
  },
  ApiSlow: {
    firing: [{ [within('1')]: growing(98), [within('2.5')]: growing(100), [within('+Inf')]: growing(100) }],
    quiet: { [within('1')]: growing(995), [within('2.5')]: growing(1_000), [within('+Inf')]: growing(1_000) },
  },
  NotReady: {
    firing: [{ 'readiness_problems{kind="database"}': always(1) }],
    quiet: { 'readiness_problems{kind="stopping"}': always(1) },
    labels: { kind: 'database' },
  },
  DatabasePoolExhausted: {
    firing: [{ database_pool_waiting_requests: always(3) }],
    quiet: { database_pool_waiting_requests: always(0) },
  },
  NoWorkerPolls: {
    firing: [{ 'task_queue_pollers{type="workflow"}': always(0) }],
    quiet: { 'task_queue_pollers{type="workflow"}': always(1) },
    labels: { type: 'workflow' },
  },
  TaskQueueBacklog: {
    firing: [{ 'task_queue_backlog_age_seconds{type="activity"}': always(61) }],
    quiet: { 'task_queue_backlog_age_seconds{type="activity"}': always(59) },
    labels: { type: 'activity' },
  },
  WorkflowTasksFail: {
    firing: [{ workflow_task_failures_total: growing(1) }, { registration_runs_stuck_total: grown }],
    quiet: { workflow_task_failures_total: `0x${minutes - 6} 2x5`, registration_runs_stuck_total: always(1) },
  },
  OutcomeUnknown: {
    firing: [{ [ageOf('REGISTRATION')]: always(901) }],
    quiet: { [ageOf('REGISTRATION')]: always(899), [ageOf('REMOVAL')]: always(26 * 3_600 - 1) },
    labels: { kind: 'REGISTRATION' },
  },
  RegistrationsInReview: {
    firing: [{ 'registrations_open{step="REVIEW"}': always(1) }],
    quiet: {
      'registrations_open{step="REVIEW"}': always(0),
      'registrations_open{step="ARS_CALL"}': always(9),
    },
  },
  RegistrationOverdue: {
    firing: [{ [oldestIn('ARS_CALL')]: always(36 * 3_600 + 1) }],
    quiet: { [oldestIn('ARS_CALL')]: always(36 * 3_600 - 1), [oldestIn('REVIEW')]: always(40 * 3_600) },
    labels: { step: 'ARS_CALL' },
  },
  RemovalOverdue: {
    firing: [{ [ageOf('REMOVAL')]: always(26 * 3_600 + 1) }],
    quiet: { [ageOf('REMOVAL')]: always(26 * 3_600 - 1) },
  },
  ArsAnswersRare: {
    firing: [{ [called('PASSED')]: growing(2), [called('NO_ANSWER')]: growing(8) }],
    quiet: { [called('PASSED')]: growing(4), [called('NO_ANSWER')]: growing(6) },
  },
  PaymentGatewayFails: {
    firing: [{ [requested('UNAVAILABLE')]: growing(11), [requested('REGISTERED')]: growing(89) }],
    quiet: { [requested('UNAVAILABLE')]: growing(9), [requested('REGISTERED')]: growing(91) },
  },
  PaymentGatewaySlow: {
    firing: [
      {
        [requestedWithin('5')]: growing(94),
        [requestedWithin('10')]: growing(100),
        [requestedWithin('+Inf')]: growing(100),
      },
    ],
    quiet: {
      [requestedWithin('5')]: growing(96),
      [requestedWithin('10')]: growing(100),
      [requestedWithin('+Inf')]: growing(100),
    },
    labels: { operation: 'register' },
  },
  PaymentGatewayInterrupted: {
    firing: [{ [circuit('PAYMENT_GATEWAY')]: always(1) }],
    quiet: { [circuit('PAYMENT_GATEWAY')]: always(0) },
  },
  BankInterrupted: {
    firing: [{ [circuit('088')]: always(1) }],
    quiet: { [circuit('088')]: grown },
    labels: { circuit: '088' },
  },
  ResultNotificationsLate: {
    firing: [{ result_notification_lag_seconds: always(301) }],
    quiet: { result_notification_lag_seconds: always(299) },
  },
  ResultNotificationsExhausted: {
    firing: [{ [exhausted]: grown }],
    quiet: { [exhausted]: always(3) },
  },
  ScheduleOverdue: {
    firing: [{ [lastSuccess]: always(0) }, { [lastSuccess]: always(3_600) }],
    quiet: { [lastSuccess]: always(3 * 3_600) },
    labels: { schedule: 'reconciliation' },
  },
  SweepFails: {
    firing: [{ [sweepFailed]: growing(1) }, { sweep_last_success_timestamp_seconds: always(0) }],
    quiet: { [sweepFailed]: always(1), sweep_last_success_timestamp_seconds: now },
  },
  LedgersDisagree: {
    firing: [{ [found('DIFFERENT')]: always(1) }],
    quiet: { [found('DIFFERENT')]: always(0), [found('MATCHED')]: always(9) },
    labels: { kind: 'DIFFERENT' },
  },
  DecisionContradicted: {
    firing: [{ [contradicted]: grown }],
    quiet: { [contradicted]: always(1) },
    labels: { kind: 'ARS_CALL' },
  },
  DatabaseReplaced: {
    firing: [{ database_restored: always(1) }, { database_failovers_total: grown }],
    quiet: { database_restored: always(0), database_failovers_total: always(1) },
  },
  AuditTrailBroken: {
    firing: [{ audit_trail_broken: always(1) }],
    quiet: { audit_trail_broken: always(0) },
  },
};
