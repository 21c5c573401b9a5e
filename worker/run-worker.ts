import { Client } from '@temporalio/client';
import { NativeConnection, TransportError } from '@temporalio/worker';
import type { z } from 'zod';
import { createActivities } from '../activities/activities.ts';
import { createNotificationSender } from '../activities/notification-sender.ts';
import type { CircuitBreakerOptions } from '../payment-gateway/circuit-breakers.ts';
import { ConfigurationError } from '../runtime/config.ts';
import type { workerConfigSchema } from '../runtime/config.ts';
import { openPostgres } from '../database/database.ts';
import { findSandboxProjects } from '../database/projects-of-sandbox.ts';
import { createStores } from '../database/stores.ts';
import { createLog } from '../runtime/log.ts';
import { openPaymentGateway } from '../payment-gateway/open.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { serveMetrics } from '../runtime/metrics-server.ts';
import { refuseSandboxDefaults } from '../runtime/production.ts';
import { temporalConnection } from '../runtime/temporal.ts';
import { createDataConverter } from '../encryption/data-converter.ts';
import { ensureSchedules } from './schedules.ts';
import { createWorker, installRuntime, temporalMetricsAddress } from './worker.ts';

/** What a run under faults has different from production. */
export interface WorkerSettings {
  /** Whether results may be delivered to this machine. */
  readonly allowLoopback?: boolean;
  readonly circuitBreakers?: CircuitBreakerOptions;
}

/** Runs the worker until the process is asked to stop. */
export async function runWorker(
  config: z.output<typeof workerConfigSchema>,
  { allowLoopback = false, circuitBreakers }: WorkerSettings = {},
): Promise<void> {
  await refuseSandboxDefaults(config, () => findSandboxProjects(config.DATABASE_URL));
  const log = createLog('worker', config.LOG_LEVEL);
  installRuntime(log, { metricsAddress: temporalMetricsAddress(config) });
  const metrics = createMetrics();
  const database = await openPostgres(config.DATABASE_URL, log);
  const stores = createStores(database.queries, config.DATABASE_KEYS);
  await stores.databaseKeys.requireAll();
  const { connectionOptions, namespace } = temporalConnection();
  const connection = await NativeConnection.connect(connectionOptions).catch((error: unknown) => {
    if (!(error instanceof TransportError)) throw error;
    throw new ConfigurationError(`TEMPORAL_ADDRESS: nothing answers at ${connectionOptions.address}.`);
  });
  const dataConverter = createDataConverter(config.PAYLOAD_KEYS);
  await ensureSchedules(new Client({ connection, namespace, dataConverter }));
  const worker = await createWorker({
    connection,
    namespace,
    dataConverter,
    activities: createActivities({
      stores,
      notificationSender: createNotificationSender({ allowLoopback }),
      paymentGateway: openPaymentGateway(config, metrics, circuitBreakers),
      metrics,
    }),
    workflowBundle: config.WORKFLOW_BUNDLE ? { codePath: config.WORKFLOW_BUNDLE } : undefined,
    deployment:
      config.TEMPORAL_DEPLOYMENT_NAME && config.TEMPORAL_BUILD_ID
        ? { deploymentName: config.TEMPORAL_DEPLOYMENT_NAME, buildId: config.TEMPORAL_BUILD_ID }
        : undefined,
  });
  const stopMetrics = await serveMetrics(metrics.registry, config);
  log.info('the worker takes work');
  await worker.run();
  stopMetrics();
  await connection.close();
  await database.close();
}
