import type { z } from 'zod';
import { openProductionService } from '../composition/open-production-service.ts';
import type { CircuitBreakerOptions } from '../payment-gateway/circuit-breakers.ts';
import type { workerConfigSchema } from '../runtime/config.ts';
import { ensureSchedules } from './schedules.ts';
import { installRuntime, startWorker, temporalMetricsAddress } from './worker.ts';
import type { WorkerSettings } from './worker.ts';

/** What differs between production, development and a run under faults. */
export interface RunWorkerSettings extends Pick<WorkerSettings, 'workflowBundle' | 'allowLoopback'> {
  readonly circuitBreakers?: CircuitBreakerOptions;
}

/** Runs the worker until the process is asked to stop. */
export async function runWorker(
  config: z.output<typeof workerConfigSchema>,
  { circuitBreakers, ...settings }: RunWorkerSettings,
): Promise<void> {
  const { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_BUILD_ID: buildId } = config;
  const service = await openProductionService('worker', config, circuitBreakers);
  installRuntime(service.log, { metricsAddress: temporalMetricsAddress(config) });
  const worker = await startWorker(service, {
    ...settings,
    deployment: deploymentName && buildId ? { deploymentName, buildId } : undefined,
  });
  await ensureSchedules(service.temporal);
  service.log.info('the worker is running');
  await worker.running;
  await worker.stop();
  await service.close();
}
