import type { DataConverter, WorkerDeploymentVersion } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, TransportError, Worker } from '@temporalio/worker';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { createActivities } from '../activities/activities.ts';
import type { ActivityDependencies } from '../activities/dependencies.ts';
import { createNotificationSender } from '../notifications/notification-sender.ts';
import { typedFailures } from '../activities/typed-failures.ts';
import { ConfigurationError, defaultSlots } from '../runtime/config.ts';
import type { Log } from '../runtime/log.ts';
import type { TemporalConnection } from '../runtime/temporal.ts';
import { taskQueue } from '../contract/registration.ts';
import { correlateActivities } from './correlate-activities.ts';
import { refuseUnreadableArguments } from './refuse-unreadable-arguments.ts';

/** Settings of Temporal's runtime. */
export interface RuntimeOptions {
  /** Which signals make workers drain; none if the process stops them itself. Default: SIGINT, SIGTERM. */
  readonly shutdownSignals?: NodeJS.Signals[];
  /** `host:port` where the SDK's own metrics are served to Prometheus; without it they are not served. */
  readonly metricsAddress?: string | undefined;
  /** Called for each report of a failed workflow task. A first attempt can have two: the core's and the SDK's. */
  readonly onFailedWorkflowTask?: () => void;
}

/**
 * Sends the logs of the SDK and the workflows through the process's logger. To be called once, before a worker is
 * started.
 */
export function installRuntime(
  log: Log,
  { shutdownSignals = ['SIGINT', 'SIGTERM'], metricsAddress, onFailedWorkflowTask }: RuntimeOptions = {},
): void {
  const logger = new DefaultLogger('INFO', ({ level, message, meta }) => {
    const { taskToken: _, error, ...fields } = meta ?? {};
    // It is in the log and in the metrics that the SDK serves itself, and nowhere else.
    if (failedWorkflowTask.has(message)) onFailedWorkflowTask?.();
    // The native core sends its errors as text.
    log[levels[level]]({ ...fields, [error instanceof Error ? 'err' : 'error']: error }, message);
  });
  Runtime.install({
    logger,
    shutdownSignals,
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metricsAddress && { metrics: { prometheus: { bindAddress: metricsAddress } } }),
    },
  });
}

/** What is logged when a workflow task fails: by the core, for a first attempt, and by the SDK, for each. */
const failedWorkflowTask = new Set(['Failing workflow task', 'Failed to process Workflow Activation']);

/** The `host:port` where the SDK's own metrics are served; undefined if the environment names no port. */
export function temporalMetricsAddress(config: {
  readonly TEMPORAL_METRICS_PORT?: number | undefined;
  readonly METRICS_HOST: string;
}): string | undefined {
  const { TEMPORAL_METRICS_PORT: port, METRICS_HOST: host } = config;
  return port === undefined ? undefined : `${host}:${port}`;
}

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** How long running activities may take to end on shutdown, in ms: longer than the longest of a registration. */
const activityDrain = 35_000;

/** How much later what still runs is given up, in ms. */
const forceDelay = 5_000;

/** How long a worker takes to stop at most, in ms. */
export const maxWorkerDrain = activityDrain + forceDelay;

/** What a worker shares with the rest of its process. */
export type WorkerParts = Omit<ActivityDependencies, 'notificationSender'> & {
  readonly dataConverter: DataConverter;
  readonly temporalConnection: TemporalConnection;
};

/** How many tasks a worker processes at a time. */
export interface WorkerSlots {
  /** Activities, and as many local activities. */
  readonly activities: number;
  /** At least 2. */
  readonly workflowTasks: number;
}

/** Settings of a worker. */
export interface WorkerSettings {
  /** The bundled workflows, or the path of the file that holds them. */
  readonly workflowBundle: WorkflowBundleOption;
  /** Whether results may be delivered to this machine. Default: false. */
  readonly allowLoopback?: boolean | undefined;
  /** How long running activities may take to end on shutdown, in ms. Default: longer than the longest activity. */
  readonly shutdownGraceTime?: number | undefined;
  /** Default: {@link defaultSlots}. */
  readonly slots?: WorkerSlots | undefined;
  /** The version under which Temporal knows this worker; without one the worker is unversioned. */
  readonly deployment?: WorkerDeploymentVersion | undefined;
}

/** A worker at work. */
export interface RunningWorker {
  /** Its name in Temporal's lists. */
  readonly identity: string;
  /** Resolves when the worker has stopped, by a shutdown signal or by {@link stop}. */
  readonly running: Promise<void>;
  /** Takes no new work, lets running activities end, and closes the connection. */
  stop(): Promise<void>;
}

/**
 * Starts the worker that hosts workflows and activities.
 * @throws {ConfigurationError} when Temporal does not answer
 */
export async function startWorker(parts: WorkerParts, settings: WorkerSettings): Promise<RunningWorker> {
  const { allowLoopback = false, workflowBundle, shutdownGraceTime = activityDrain, deployment } = settings;
  const { connectionOptions, namespace } = parts.temporalConnection;
  const connection = await NativeConnection.connect(connectionOptions).catch((error: unknown) => {
    if (!(error instanceof TransportError)) throw error;
    throw new ConfigurationError(`TEMPORAL_ADDRESS: nothing answers at ${connectionOptions.address}.`);
  });
  const notificationSender = createNotificationSender({ allowLoopback });
  const worker = await Worker.create({
    connection,
    namespace,
    dataConverter: parts.dataConverter,
    taskQueue,
    // Shorter than the API waits for an operation: after a crash, another worker takes over within its deadline.
    stickyQueueScheduleToStartTimeout: '3s',
    activities: createActivities({ ...parts, notificationSender }),
    interceptors: { activity: [correlateActivities(parts), refuseUnreadableArguments, typedFailures] },
    ...slotOptions(settings.slots),
    shutdownGraceTime,
    shutdownForceTime: shutdownGraceTime + forceDelay,
    workflowBundle,
    ...(deployment && {
      workerDeploymentOptions: {
        version: deployment,
        useWorkerVersioning: true,
        defaultVersioningBehavior: 'PINNED',
      },
    }),
  });
  const running = worker.run().catch((error: unknown) => {
    if (!isAboutFreeingMemory(error)) throw error;
    parts.log.warn({ err: error }, 'the worker stopped, and Temporal’s SDK did not free a cached workflow');
  });
  return {
    identity: worker.options.identity,
    running,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
      await notificationSender.close();
      await connection.close();
    },
  };
}

/** There are as many polls as the server advises, but no more than tasks that could be processed. */
function slotOptions({ activities, workflowTasks }: WorkerSlots = defaultSlots) {
  const pollers = (maximum: number) =>
    ({ type: 'autoscaling', maximum, initial: Math.min(5, maximum) }) as const;
  return {
    maxConcurrentActivityTaskExecutions: activities,
    maxConcurrentLocalActivityExecutions: activities,
    activityTaskPollerBehavior: pollers(activities),
    maxConcurrentWorkflowTaskExecutions: workflowTasks,
    workflowTaskPollerBehavior: pollers(workflowTasks),
  };
}

/**
 * @temporalio/worker 1.24.0 may fail like this in the last act of a worker that has stopped, when everything is already
 * completed and closed. A stop that succeeded must not look like a crash.
 */
function isAboutFreeingMemory(error: unknown): boolean {
  return (
    error instanceof Error && error.message === 'Workflow execution context should have been disposed first'
  );
}
