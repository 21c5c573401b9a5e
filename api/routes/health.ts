import { setTimeout as delay } from 'node:timers/promises';
import type { Hono } from 'hono';
import { ConfigurationError } from '../../runtime/config.ts';
import { requireNamespace } from '../../runtime/temporal-namespace.ts';
import type { Api } from '../context.ts';
import type { ApiParts } from '../parts.ts';

/** How long a dependency may take to respond, in ms. */
const probeTimeout = 1_000;

/** How long a complete namespace is not checked again, in ms. */
const namespaceRecheck = 30_000;

/**
 * Liveness: `GET /healthz`. Readiness: `GET /readyz`; a 503 names the dependency that does not respond, and what
 * Temporal's namespace lacks.
 */
export function serveHealth(app: Hono<Api>, { temporal, database, stopping }: ApiParts): void {
  app.get('/healthz', (context) => context.json({ status: 'ok' }, 200));

  let namespaceIsFineUntil = 0;

  /** What is wrong with Temporal; undefined if it is ready. */
  async function findTemporalProblem(): Promise<string | undefined> {
    try {
      if (performance.now() < namespaceIsFineUntil) {
        const ask = () => temporal.workflowService.getSystemInfo({});
        await temporal.withDeadline(Date.now() + probeTimeout, ask);
      } else {
        await requireNamespace(temporal.connection, temporal.options.namespace, probeTimeout);
        namespaceIsFineUntil = performance.now() + namespaceRecheck;
      }
      return undefined;
    } catch (error) {
      return error instanceof ConfigurationError ? error.message : 'does not answer';
    }
  }

  async function probe(): Promise<[string | undefined, boolean]> {
    return await Promise.all([
      findTemporalProblem(),
      Promise.race([answers(database.ping()), delay(probeTimeout, false, { ref: false })]),
    ]);
  }
  let current: Promise<[string | undefined, boolean]> | undefined;

  app.get('/readyz', async (context) => {
    if (stopping?.aborted) return context.json({ status: 'stopping' }, 503);
    // Concurrent requests share one probe.
    current ??= probe().finally(() => {
      current = undefined;
    });
    const [temporalProblem, databaseAnswers] = await current;
    const isReady = temporalProblem === undefined && databaseAnswers;
    return context.json(
      {
        status: isReady ? 'ready' : 'not ready',
        temporal: temporalProblem ?? 'ok',
        database: databaseAnswers ? 'ok' : 'does not answer',
      },
      isReady ? 200 : 503,
    );
  });
}

function answers(probe: Promise<unknown>): Promise<boolean> {
  return probe.then(
    () => true,
    () => false,
  );
}
