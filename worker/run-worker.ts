import type { z } from 'zod';
import { atOnce, openProductionService } from '../composition/open-production-service.ts';
import { createReadiness } from '../composition/readiness.ts';
import type { OwnWorker, ReadinessParts } from '../composition/readiness.ts';
import type { CircuitBreakerOptions } from '../payment-gateway/circuit-breakers.ts';
import type { workerConfigSchema } from '../runtime/config.ts';
import type { Log } from '../runtime/log.ts';
import { serveMetrics } from '../runtime/metrics-server.ts';
import { stopRequested } from '../runtime/process.ts';
import { watchSettings } from '../runtime/reloaded-settings.ts';
import type { SettingsSource } from '../runtime/reloaded-settings.ts';
import { requireNamespace } from '../runtime/temporal-namespace.ts';
import { untilAvailable } from '../runtime/until-available.ts';
import { ensureSchedules, keepEnsuringSchedules } from '../composition/schedules.ts';
import { serveHealth } from './health-server.ts';
import { installRuntime, startWorker, temporalMetricsAddress } from './worker.ts';
import type { WorkerSettings } from './worker.ts';

/** What differs between production, development and a run under faults. */
export interface RunWorkerSettings extends Pick<WorkerSettings, 'workflowBundle' | 'allowLoopback'> {
  readonly circuitBreakers?: CircuitBreakerOptions;
}

type Settings = z.output<typeof workerConfigSchema>;

/** For how long a failed workflow task counts against readiness, in ms. */
const failureMemory = 5 * 60_000;

/**
 * Runs the worker until the process is asked to stop. When the files that hold its settings change, another worker with
 * the new ones takes over, and this one lets its activities end.
 */
export async function runWorker(
  source: SettingsSource<Settings>,
  settings: RunWorkerSettings,
): Promise<void> {
  const stop = stopRequested();
  const stopping = new AbortController();
  void stop.then(() => stopping.abort());
  const watch = watchSettings(source.files);
  const config = source.read();
  let current: Awaited<ReturnType<typeof start>> | undefined;
  const stopHealth = await serveHealth(config, async () =>
    current ? await current.findProblems() : [{ reason: 'the worker waits for PostgreSQL or Temporal' }],
  );
  const failedWorkflowTasks: number[] = [];
  const context: WorkerContext = {
    stopping: stopping.signal,
    countFailedWorkflowTasks() {
      const oldest = performance.now() - failureMemory;
      while (failedWorkflowTasks[0]! < oldest) failedWorkflowTasks.shift();
      return failedWorkflowTasks.length;
    },
  };
  const prepareRuntime = (log: Log) =>
    installRuntime(log, {
      shutdownSignals: [],
      metricsAddress: temporalMetricsAddress(config),
      onFailedWorkflowTask() {
        failedWorkflowTasks.push(performance.now());
        current?.service.metrics.workflowTaskFailures.inc();
      },
    });
  const started = await Promise.race([
    stop,
    start(config, settings, context, { wait: untilAvailable, prepareRuntime }),
  ]);
  if (!started) return;
  current = started;
  let present = started;
  const { log } = started.service;
  const stopMetrics = await serveMetrics(() => present.service.metrics.registry, config);
  log.info('the worker is running');
  let fail: (reason: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  present.worker.running.catch(fail);
  const stopWatching = watch(log, async () => {
    const next = await start(source.read(), settings, context, { wait: atOnce });
    next.worker.running.catch(fail);
    const former = present;
    current = present = next;
    await former.stop();
  });
  await Promise.race([stop, failed]);
  await stopWatching();
  stopMetrics();
  await present.stop();
  stopHealth();
}

/** What the process knows, whatever worker it runs. */
type WorkerContext = Pick<ReadinessParts, 'stopping'> & Omit<OwnWorker, 'identity'>;

/** Starts a worker once the database and Temporal answer, or fails at once. */
async function start(
  config: Settings,
  { circuitBreakers, ...settings }: RunWorkerSettings,
  { stopping, countFailedWorkflowTasks }: WorkerContext,
  {
    wait,
    prepareRuntime,
  }: { readonly wait: typeof untilAvailable; readonly prepareRuntime?: (log: Log) => void },
) {
  const { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_BUILD_ID: buildId } = config;
  const service = await openProductionService('worker', config, { circuitBreakers, wait });
  try {
    const { log, temporal, temporalConnection } = service;
    await wait(`Temporal at ${temporalConnection.connectionOptions.address}`, log, async () => {
      await requireNamespace(temporal.connection, temporal.options.namespace);
      await ensureSchedules(temporal);
    });
    prepareRuntime?.(log);
    const worker = await startWorker(service, {
      ...settings,
      slots: { activities: config.CONCURRENT_ACTIVITIES, workflowTasks: config.CONCURRENT_WORKFLOW_TASKS },
      deployment: deploymentName && buildId ? { deploymentName, buildId } : undefined,
    });
    const stopEnsuring = keepEnsuringSchedules(service);
    const ownWorker = { identity: worker.identity, countFailedWorkflowTasks };
    return {
      service,
      worker,
      findProblems: createReadiness({ ...service, stopping, ownWorker }),
      async stop() {
        stopEnsuring();
        await worker.stop();
        await service.close();
      },
    };
  } catch (error) {
    await service.close();
    throw error;
  }
}
