import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { RegistrationStatus } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { TimelineEntry } from '../wire/timeline.ts';

/** The metrics of a process. */
export type Metrics = ReturnType<typeof createMetrics>;

/** The end and the result of a reconciliation. */
interface LatestReconciliation {
  readonly endedAt: Date | null;
  readonly counts: Readonly<Record<string, number>> | null;
}

/** Histogram buckets in seconds: from an answer out of memory to the longest wait of a caller. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Creates the metrics of a process. Labels have few, known values: routes, codes, outcomes and, for limits,
 * projects. They never carry personal data, member IDs or registration numbers.
 */
export function createMetrics() {
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

  let findProblems = (): Promise<readonly string[]> => Promise.resolve([]);
  const problems = new Gauge({
    name: 'readiness_problems',
    help: '1 for each kind of problem that keeps this process from its work or a part of it',
    labelNames: ['kind'] as const,
    registers,
    async collect() {
      const found = await findProblems();
      problems.reset();
      for (const kind of found) problems.set({ kind }, 1);
    },
  });

  return {
    registry,

    /** Adds to every scrape what keeps this process from its work. @param find the kinds of problems; never rejects */
    watchReadiness(find: () => Promise<readonly string[]>): void {
      findProblems = find;
    },

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
    sweepFailures: new Counter({
      name: 'sweep_failures_total',
      help: 'Runs that the sweep could not start, by kind; it tries again',
      labelNames: ['kind'] as const,
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
    paymentGatewayCallbacks: new Counter({
      name: 'payment_gateway_callbacks_total',
      help: 'Callbacks of the payment gateway, by kind and by whether the ledger knows what they answer',
      labelNames: ['kind', 'known'] as const,
      registers,
    }),
    contradictions: new Counter({
      name: 'contradictions_total',
      help: 'Words about calls and registrations that contradict what was decided, by kind; the log has the numbers',
      labelNames: ['kind'] as const,
      registers,
    }),
    resultNotifications: new Counter({
      name: 'result_notifications_total',
      help: 'Number of result notification deliveries by state; PENDING will be retried',
      labelNames: ['state'] as const,
      registers,
    }),

    /** Adds the open circuit breakers to every scrape. @param openCircuits bank codes, and `PAYMENT_GATEWAY` */
    watchCircuits(openCircuits: () => readonly string[]): void {
      const gauge = new Gauge({
        name: 'payment_gateway_circuit_open',
        help: '1 for each open circuit breaker: PAYMENT_GATEWAY or a bank code',
        labelNames: ['circuit'] as const,
        registers,
        collect: () => {
          gauge.reset();
          for (const circuit of openCircuits()) gauge.set({ circuit }, 1);
        },
      });
    },

    /** Adds the counts and the age of the latest reconciliation to every scrape. */
    watchReconciliations(findLatest: () => Promise<LatestReconciliation | undefined>): void {
      // Both gauges are collected at the same time.
      let current: Promise<LatestReconciliation | undefined> | undefined;
      // Without the database the last known values stay, and the scrape still has every other metric.
      const find = () =>
        (current ??= findLatest()
          .catch(() => undefined)
          .finally(() => (current = undefined)));
      const age = new Gauge({
        name: 'reconciliation_age_seconds',
        help: 'Seconds since the end of the latest reconciliation; absent while none has ended',
        registers,
        async collect() {
          const latest = await find();
          if (latest?.endedAt) age.set((Date.now() - latest.endedAt.getTime()) / 1_000);
        },
      });
      age.remove();
      const counts = new Gauge({
        name: 'reconciliation_registrations',
        help: 'Number of registrations in the latest reconciliation by kind of result',
        labelNames: ['kind'] as const,
        registers,
        async collect() {
          const latest = await find();
          if (!latest?.endedAt || !latest.counts) return;
          for (const [kind, count] of Object.entries(latest.counts)) counts.set({ kind }, count);
        },
      });
    },

    /** Counts the end of a registration and its calls. Called by whoever committed the end. */
    countEnd(status: RegistrationStatus, code: ResultCode, timeline: readonly TimelineEntry[]): void {
      registrationsEnded.inc({ status, code });
      for (const { step, outcome } of timeline) if (step === 'ARS_CALL_ENDED') arsCalls.inc({ outcome });
    },
  };
}
