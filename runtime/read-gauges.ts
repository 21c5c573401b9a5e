import { setTimeout as delay } from 'node:timers/promises';
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { registrationSteps } from '../contract/registration.ts';
import { effectKinds } from '../contract/effects.ts';

interface Definition {
  readonly help: string;
  readonly label?: string;
  /** Values of the label that are 0 where nothing was read of them. */
  readonly known?: readonly string[];
}

const step = { label: 'step', known: registrationSteps.filter((name) => name !== 'DONE') };
const kind = { label: 'kind', known: effectKinds };
const type = { label: 'type' };

/** The gauges that are read somewhere, by where that is. */
const gaugesBySource = {
  memory: {
    payment_gateway_circuit_open: {
      help: '1 for each open circuit breaker: PAYMENT_GATEWAY or a bank code',
      label: 'circuit',
      known: ['PAYMENT_GATEWAY'],
    },
    database_pool_connections: { help: 'Connections to PostgreSQL, active or idle', label: 'state' },
    database_pool_max_connections: { help: 'Connections to PostgreSQL at most' },
    database_pool_waiting_requests: { help: 'Requests that wait for a connection to PostgreSQL' },
  },
  readiness: {
    readiness_problems: {
      help: '1 for each kind of problem that keeps this process from its work or a part of it',
      label: 'kind',
    },
  },
  database: {
    registrations_open: { help: 'Open registrations by step', ...step },
    registrations_oldest_age_seconds: { help: 'Age of the oldest open registration by step', ...step },
    effects_open: { help: 'Requests to the payment gateway whose outcome is not known, by kind', ...kind },
    effects_oldest_age_seconds: { help: 'Age of the oldest of them by kind', ...kind },
    result_notifications_pending: { help: 'Result notifications that are not acknowledged yet' },
    result_notifications_held: { help: 'Result notifications that wait until their project is active' },
    result_notification_lag_seconds: { help: 'How late the most overdue delivery of a result is' },
    bank_closed: { help: '1 for each bank that is in a maintenance window', label: 'bank' },
    reconciliation_registrations: {
      help: 'Registrations in the latest reconciliation by kind of result',
      label: 'kind',
    },
  },
  temporal: {
    task_queue_pollers: { help: 'Workers that poll the task queue, by type of task', ...type },
    task_queue_backlog: { help: 'Tasks that wait in the task queue, by type', ...type },
    task_queue_backlog_age_seconds: { help: 'Age of the oldest task in the task queue, by type', ...type },
    schedule_last_success_timestamp_seconds: {
      help: 'Unix time at which a run of the scheduled workflow last completed; 0: never, or before the retention',
      label: 'schedule',
    },
  },
} satisfies Record<string, Record<string, Definition>>;

/** Where gauges are read. */
type Source = keyof typeof gaugesBySource;

/** A value of a gauge. */
export interface Sample<From extends Source> {
  readonly metric: keyof (typeof gaugesBySource)[From];
  /** The value of the gauge's label, if it has one. */
  readonly label?: string;
  readonly value: number;
}

/** A source other than the memory is read so often at most, in ms, however often it is scraped. */
const readInterval = 15_000;

/** How long a scrape waits for a source, in ms. After that it shows what was read last. */
const scrapeWait = 2_000;

/**
 * Creates the gauges, empty until {@link readFrom} says how they are read.
 * @returns `readFrom`
 */
export function createReadGauges(registry: Registry) {
  const refreshes = new Map<string, () => Promise<void>>();
  const readAt = new Gauge({
    name: 'metrics_read_timestamp_seconds',
    help: 'Unix time at which the gauges of a source were last read',
    labelNames: ['source'],
    registers: [registry],
    async collect() {
      await Promise.all([...refreshes.values()].map((refresh) => refresh()));
    },
  });
  const definitions: Readonly<Record<Source, Readonly<Record<string, Definition>>>> = gaugesBySource;
  const gauges = new Map<string, Gauge>();
  for (const [source, ofSource] of Object.entries(definitions)) {
    for (const [name, { help, label }] of Object.entries(ofSource)) {
      const labelNames = label === undefined ? [] : [label];
      const gauge = new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        collect: async () => await refreshes.get(source)?.(),
      });
      // Absent, not 0, until it is read.
      if (label === undefined) gauge.remove();
      gauges.set(name, gauge);
    }
  }

  /** Reads gauges when the process is scraped. Where `read` fails, they keep what was read last. */
  return function readFrom<From extends Source>(
    source: From,
    read: () => Promise<readonly Sample<From>[]>,
  ): void {
    const ofSource = definitions[source];
    const refresh = async () => {
      const samples = await read();
      for (const [name, { label = '', known = [] }] of Object.entries(ofSource)) {
        const gauge = gauges.get(name)!;
        gauge.reset();
        for (const value of known) gauge.set({ [label]: value }, 0);
      }
      for (const { metric, label, value } of samples) {
        const name = ofSource[String(metric)]!.label;
        gauges.get(String(metric))!.set(name === undefined ? {} : { [name]: label ?? '' }, value);
      }
      readAt.set({ source }, Date.now() / 1_000);
    };
    refreshes.set(source, atIntervals(refresh, source === 'memory' ? 0 : readInterval));
  };
}

/** Reads again only after an interval, one reading at a time, and waits for it a limited time. */
function atIntervals(read: () => Promise<void>, interval: number): () => Promise<void> {
  let reading: Promise<void> | undefined;
  let nextAt = 0;
  return async () => {
    if (!reading && performance.now() >= nextAt) {
      reading = read()
        .catch(() => undefined)
        .finally(() => {
          reading = undefined;
          nextAt = performance.now() + interval;
        });
    }
    await Promise.race([reading, delay(scrapeWait, undefined, { ref: false })]);
  };
}
