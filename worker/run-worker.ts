import type { z } from 'zod';
import { openProductionService } from '../composition/open-production-service.ts';
import type { CircuitBreakerOptions } from '../payment-gateway/circuit-breakers.ts';
import type { workerConfigSchema } from '../runtime/config.ts';
import { stopRequested } from '../runtime/process.ts';
import { requireNamespace } from '../runtime/temporal-namespace.ts';
import { untilAvailable } from '../runtime/until-available.ts';
import { ensureSchedules, keepEnsuringSchedules } from './schedules.ts';
import { installRuntime, startWorker, temporalMetricsAddress } from './worker.ts';
import type { WorkerSettings } from './worker.ts';

/** What differs between production, development and a run under faults. */
export interface RunWorkerSettings extends Pick<WorkerSettings, 'workflowBundle' | 'allowLoopback'> {
  readonly circuitBreakers?: CircuitBreakerOptions;
}

/** Runs the worker until the process is asked to stop. */
export async function runWorker(
  config: z.output<typeof workerConfigSchema>,
  settings: RunWorkerSettings,
): Promise<void> {
  const stop = stopRequested();
  const started = await Promise.race([stop, startWhenPossible(config, settings)]);
  if (!started) return;
  const { service, worker } = started;
  const stopEnsuring = keepEnsuringSchedules(service);
  service.log.info('the worker is running');
  await Promise.race([stop, worker.running]);
  stopEnsuring();
  await worker.stop();
  await service.close();
}

/** Starts the worker once the database and Temporal answer. */
async function startWhenPossible(
  config: z.output<typeof workerConfigSchema>,
  { circuitBreakers, ...settings }: RunWorkerSettings,
) {
  const { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_BUILD_ID: buildId } = config;
  const service = await openProductionService('worker', config, circuitBreakers);
  const { log, temporal, temporalConnection } = service;
  await untilAvailable(`Temporal at ${temporalConnection.connectionOptions.address}`, log, async () => {
    await requireNamespace(temporal.connection, temporal.options.namespace);
    await ensureSchedules(temporal);
  });
  installRuntime(log, { shutdownSignals: [], metricsAddress: temporalMetricsAddress(config) });
  const worker = await startWorker(service, {
    ...settings,
    deployment: deploymentName && buildId ? { deploymentName, buildId } : undefined,
  });
  return { service, worker };
}
