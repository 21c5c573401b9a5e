import { Counter, Gauge, Histogram, Registry, Summary, collectDefaultMetrics } from 'prom-client';
import packageJson from '../package.json' with { type: 'json' };
import { notificationStates } from '../contract/activities.ts';
import { effectKinds } from '../contract/effects.ts';
import type { RegistrationStatus } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { TimelineEntry } from '../wire/timeline.ts';
import { createReadGauges } from './read-gauges.ts';

/** The metrics of a process. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Histogram buckets in seconds: from an answer out of memory to the longest wait of a caller. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Creates the metrics of a process. Labels have few, known values: routes, codes, outcomes, banks of the published list and, for
 * limits only, projects. They never carry personal data, member IDs or registration numbers.
 * @param buildId of this version; empty: none
 */
export function createMetrics(buildId = '') {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const registrationsEnded = new Counter({
    name: 'registrations_ended_total',
    help: 'Number of ended registrations by status and result code',
    labelNames: ['status', 'code'] as const,
    registers,
  });
  const arsCalls = new Counter({
    name: 'ars_calls_total',
    help: 'Number of ARS calls of ended registrations by outcome',
    labelNames: ['outcome'] as const,
    registers,
  });

  new Gauge({
    name: 'build_info',
    help: '1, with the version and the build ID of this process',
    labelNames: ['version', 'build_id'] as const,
    registers,
  }).set({ version: packageJson.version, build_id: buildId }, 1);
  const resultNotifications = new Counter({
    name: 'result_notifications_total',
    help: 'Number of result notification deliveries by state; PENDING will be retried',
    labelNames: ['state'] as const,
    registers,
  });
  const contradictions = new Counter({
    name: 'contradictions_total',
    help: 'Words about calls and registrations that contradict what was decided, by kind; the log has the numbers',
    labelNames: ['kind'] as const,
    registers,
  });
  const sweptRows = new Counter({
    name: 'sweep_rows_total',
    help: 'Rows that the sweep took, by kind and by what became of them; it tries again what failed',
    labelNames: ['kind', 'outcome'] as const,
    registers,
  });
  // A counter that appears with its first event hides that event from `increase`.
  for (const state of notificationStates) resultNotifications.inc({ state }, 0);
  for (const kind of effectKinds) contradictions.inc({ kind }, 0);
  for (const kind of ['REGISTRATION', 'NOTIFICATION', 'REMOVAL']) {
    sweptRows.inc({ kind, outcome: 'failed' }, 0);
  }

  return {
    registry,

    /** Says how gauges are read when the process is scraped. */
    readFrom: createReadGauges(registry),

    requests: new Histogram({
      name: 'api_request_duration_seconds',
      help: 'Duration of API requests in seconds by route, HTTP status and result code',
      labelNames: ['route', 'status', 'code'] as const,
      buckets,
      registers,
    }),
    requestsInFlight: new Gauge({
      name: 'api_requests_in_flight',
      help: 'Number of API requests in flight',
      registers,
    }),
    limitedRequests: new Counter({
      name: 'api_limited_requests_total',
      help: 'Number of requests refused with 000_914 by project and limit',
      labelNames: ['project', 'limit'] as const,
      registers,
    }),
    registrationsStarted: new Counter({
      name: 'registrations_started_total',
      help: 'Number of accepted registrations',
      registers,
    }),
    replacedRuns: new Counter({
      name: 'registration_runs_replaced_total',
      help: 'Runs started for open registrations that had none',
      registers,
    }),
    stuckRuns: new Counter({
      name: 'registration_runs_stuck_total',
      help: 'Registrations found overdue again although they have a run',
      registers,
    }),
    sweptRows,
    lastSweep: new Gauge({
      name: 'sweep_last_success_timestamp_seconds',
      help: 'Unix time of the last sweep that looked at every row that was due',
      registers,
    }),
    databaseRestored: new Gauge({
      name: 'database_restored',
      help: '1 while nothing is sent, because the database is not the one last known',
      registers,
    }),
    databaseFailovers: new Counter({
      name: 'database_failovers_total',
      help: 'Failovers of the database after which this process let everything go on',
      registers,
    }),
    auditTrailEntries: new Gauge({
      name: 'audit_trail_entries',
      help: 'Number of entries of the audit trail',
      registers,
    }),
    auditTrailHead: new Gauge({
      name: 'audit_trail_head',
      help: 'The first 48 bits of the hash of its last entry, as a number',
      registers,
    }),
    auditTrailBroken: new Gauge({
      name: 'audit_trail_broken',
      help: '1 while the audit trail lacks an entry that this process or Temporal knows',
      registers,
    }),
    paymentGatewayRequests: new Histogram({
      name: 'payment_gateway_request_duration_seconds',
      help: 'Duration of payment gateway requests in seconds by operation and outcome',
      labelNames: ['operation', 'outcome'] as const,
      buckets,
      registers,
    }),
    bankRequests: new Summary({
      name: 'bank_request_duration_seconds',
      help: 'Sum and number of the durations of payment gateway requests that reach a bank, by bank, operation and outcome',
      labelNames: ['bank', 'operation', 'outcome'] as const,
      percentiles: [],
      registers,
    }),
    paymentGatewayCallbacks: new Counter({
      name: 'payment_gateway_callbacks_total',
      help: 'Callbacks of the payment gateway, by kind and by whether the ledger knows what they answer',
      labelNames: ['kind', 'known'] as const,
      registers,
    }),
    contradictions,
    resultNotifications,
    workflowTaskFailures: new Counter({
      name: 'workflow_task_failures_total',
      help: 'Reports of failed workflow tasks; a first attempt can have two',
      registers,
    }),

    /** Counts the end of a registration and its calls. Called by whoever committed the end. */
    countEnd(status: RegistrationStatus, code: ResultCode, timeline: readonly TimelineEntry[]): void {
      registrationsEnded.inc({ status, code });
      for (const { step, outcome } of timeline) if (step === 'ARS_CALL_ENDED') arsCalls.inc({ outcome });
    },
  };
}
