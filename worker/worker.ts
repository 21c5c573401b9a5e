import type { DataConverter } from '@temporalio/common';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerOptions, WorkflowBundleOption } from '@temporalio/worker';
import { typedFailures } from '../activities/typed-failures.ts';
import type { Activities } from '../contract/activities.ts';
import type { Log } from '../runtime/log.ts';
import { taskQueue } from '../contract/registration.ts';
import { workflowsPath } from './workflow-bundle.ts';

/** What a process may want of Temporal's runtime. */
export interface RuntimeOptions {
  /** Which signals make workers drain; none where the process decides itself. */
  readonly shutdownSignals?: NodeJS.Signals[];
  /** Host and port where the SDK's own metrics are served to Prometheus; absent: nowhere. */
  readonly metricsAddress?: string | undefined;
}

/**
 * Sends what the SDK and the workflows log through the process's logger; to be called once, before anything else of
 * Temporal.
 */
export function installRuntime(
  log: Log,
  { shutdownSignals = ['SIGINT', 'SIGTERM'], metricsAddress }: RuntimeOptions = {},
): void {
  const logger = new DefaultLogger('INFO', ({ level, message, meta }) => {
    const { taskToken: _, error, ...fields } = meta ?? {};
    log[levels[level]]({ ...fields, ...(error === undefined ? {} : { err: error }) }, message);
  });
  Runtime.install({
    logger,
    shutdownSignals,
    ...(metricsAddress && { telemetryOptions: { metrics: { prometheus: { bindAddress: metricsAddress } } } }),
  });
}

/** Where the environment has the SDK's own metrics served. */
export function temporalMetricsAddress(config: {
  readonly TEMPORAL_METRICS_PORT?: number | undefined;
  readonly METRICS_HOST: string;
}): string | undefined {
  const { TEMPORAL_METRICS_PORT: port, METRICS_HOST: host } = config;
  return port === undefined ? undefined : `${host}:${port}`;
}

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** What a worker needs. */
export interface WorkerParts {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly dataConverter: DataConverter;
  readonly activities: Activities;
  /** A bundle made beforehand; without one the workflows are bundled at start, which takes about 2 s. */
  readonly workflowBundle?: WorkflowBundleOption | undefined;
  /** How long activities in flight may take to end on shutdown, in ms. Default: longer than the longest activity. */
  readonly shutdownGraceTime?: number;
  /** How this worker's version is known to Temporal; without one the worker is unversioned. */
  readonly deployment?: { readonly deploymentName: string; readonly buildId: string } | undefined;
}

/**
 * Creates the worker that hosts workflows and activities. On shutdown it takes no new work and lets activities in
 * flight end.
 */
export async function createWorker(parts: WorkerParts): Promise<Worker> {
  const { shutdownGraceTime = 35_000 } = parts;
  const options: WorkerOptions = {
    connection: parts.connection,
    namespace: parts.namespace,
    dataConverter: parts.dataConverter,
    taskQueue,
    activities: parts.activities,
    interceptors: { activity: [typedFailures] },
    shutdownGraceTime,
    shutdownForceTime: shutdownGraceTime + 5_000,
    ...(parts.workflowBundle ? { workflowBundle: parts.workflowBundle } : { workflowsPath }),
    ...(parts.deployment && {
      workerDeploymentOptions: {
        version: parts.deployment,
        useWorkerVersioning: true,
        defaultVersioningBehavior: 'PINNED',
      },
    }),
  };
  return await Worker.create(options);
}
