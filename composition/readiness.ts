import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { taskQueue } from '../contract/registration.ts';
import { requireMigrated } from '../database/database.ts';
import type { Database } from '../database/database.ts';
import { problemOf } from '../runtime/config.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { requireNamespace } from '../runtime/temporal-namespace.ts';
import type { DatabaseWitness } from './database-witness.ts';
import { findWorkerProblem } from './task-queue-pollers.ts';

/** How long a dependency may take to answer, in ms. */
const probeTimeout = 1_000;

/** How long what was found to be right is not checked again, in ms: the namespace, the tables and the payload keys. */
const recheckInterval = 10_000;

/** How many workflow tasks may fail within minutes: one failure is retried. */
const toleratedFailures = 2;

/** Something that keeps a process from its work, or from a part of it. */
export interface Problem {
  /** As in the metric `readiness_problems`. */
  readonly kind:
    | 'stopping'
    | 'database'
    | 'schema'
    | 'payload_keys'
    | 'temporal'
    | 'workers'
    | 'workflow_tasks';
  /** For operators; it holds no values of settings. */
  readonly reason: string;
}

/** What readiness is judged by. */
export interface ReadinessParts {
  readonly database: Pick<Database, 'ping' | 'queries'>;
  readonly temporal: Client;
  readonly metrics: Pick<Metrics, 'readFrom'>;
  /** @throws {ConfigurationError} when a payload key is another one than before under its ID */
  readonly requirePayloadKeys: () => Promise<void>;
  /** What the processes tell it is encrypted with the key that encrypts now. */
  readonly witness: Pick<DatabaseWitness, 'read'>;
  /** Aborted when the process is asked to stop. */
  readonly stopping?: AbortSignal | undefined;
  /** The worker of this process, which has to poll itself; without it any worker does. */
  readonly ownWorker?: OwnWorker | undefined;
}

/** What a worker knows of itself. */
export interface OwnWorker {
  /** Its name in Temporal’s lists. */
  readonly identity: string;
  /** How many workflow tasks failed in the last minutes. */
  countFailedWorkflowTasks(): number;
}

/** Finds out whether a process is ready. Concurrent calls share one look. */
export function createReadiness(parts: ReadinessParts): () => Promise<readonly Problem[]> {
  const { database, temporal, stopping, ownWorker } = parts;
  const { connection } = temporal;
  const checkSchema = recheckLater(() => requireMigrated(database.queries));
  const checkPayloadKeys = recheckLater(() => parts.requirePayloadKeys());
  const checkWitness = recheckLater(async () => void (await parts.witness.read()));
  const checkNamespace = recheckLater(() =>
    requireNamespace(connection, temporal.options.namespace, probeTimeout),
  );

  async function findInDatabase(): Promise<Problem[]> {
    const { isReadOnly } = await database.ping();
    if (isReadOnly) return [{ kind: 'database', reason: 'PostgreSQL is read-only' }];
    const schema = await misconfigured('schema', checkSchema);
    // Older tables may not have the payload keys.
    return schema.length > 0 ? schema : await misconfigured('payload_keys', checkPayloadKeys);
  }

  async function findInTemporal(): Promise<Problem[]> {
    const missing = await misconfigured('temporal', checkNamespace);
    if (missing.length > 0) return missing;
    const keys = await misconfigured('payload_keys', checkWitness);
    if (keys.length > 0) return keys;
    const pollers = await connection.withDeadline(Date.now() + probeTimeout, () =>
      findWorkerProblem(temporal, taskQueue, ownWorker?.identity),
    );
    return pollers === undefined ? [] : [{ kind: 'workers', reason: pollers }];
  }

  function findInWorker(): Problem[] {
    const failed = ownWorker?.countFailedWorkflowTasks() ?? 0;
    if (failed <= toleratedFailures) return [];
    return [{ kind: 'workflow_tasks', reason: `${failed} workflow tasks failed in the last minutes` }];
  }

  async function look(): Promise<readonly Problem[]> {
    if (stopping?.aborted) return [{ kind: 'stopping', reason: 'the process is stopping' }];
    const found = await Promise.all([
      unlessSilent(findInDatabase(), { kind: 'database', reason: 'PostgreSQL does not answer' }),
      unlessSilent(findInTemporal(), { kind: 'temporal', reason: 'Temporal does not answer' }),
    ]);
    return [...found.flat(), ...findInWorker()];
  }

  let current: Promise<readonly Problem[]> | undefined;
  const find = async () => {
    current ??= look().finally(() => {
      current = undefined;
    });
    return await current;
  };
  parts.metrics.readFrom('readiness', async () =>
    (await find()).map(({ kind }) => ({ metric: 'readiness_problems', label: kind, value: 1 })),
  );
  return find;
}

/** Checks again only once a check that succeeded is old. */
function recheckLater(check: () => Promise<void>): () => Promise<void> {
  let isFineUntil = 0;
  return async () => {
    if (performance.now() < isFineUntil) return;
    await check();
    isFineUntil = performance.now() + recheckInterval;
  };
}

async function misconfigured(kind: Problem['kind'], check: () => Promise<void>): Promise<Problem[]> {
  try {
    await check();
    return [];
  } catch (error) {
    return [{ kind, reason: problemOf(error) }];
  }
}

/** What was found, or `silence` if the dependency fails or takes too long. */
async function unlessSilent(found: Promise<Problem[]>, silence: Problem): Promise<Problem[]> {
  return await Promise.race([found.catch(() => [silence]), delay(probeTimeout, [silence], { ref: false })]);
}
