import { setTimeout as delay } from 'node:timers/promises';
import type { Hono } from 'hono';
import type { Api } from '../context.ts';
import type { ApiParts } from '../parts.ts';

/** How long a dependency may take to respond, in ms. */
const probeTimeout = 1_000;

/** Liveness: `GET /healthz`. Readiness: `GET /readyz`; a 503 names the dependency that does not respond. */
export function serveHealth(app: Hono<Api>, { temporal, database }: ApiParts): void {
  app.get('/healthz', (context) => context.json({ status: 'ok' }, 200));

  async function probe(): Promise<[boolean, boolean]> {
    return await Promise.all([
      answers(
        temporal.withDeadline(Date.now() + probeTimeout, () => temporal.workflowService.getSystemInfo({})),
      ),
      Promise.race([answers(database.ping()), delay(probeTimeout, false, { ref: false })]),
    ]);
  }
  let current: Promise<[boolean, boolean]> | undefined;

  app.get('/readyz', async (context) => {
    // Concurrent requests share one probe.
    current ??= probe().finally(() => {
      current = undefined;
    });
    const [temporalAnswers, databaseAnswers] = await current;
    const isReady = temporalAnswers && databaseAnswers;
    return context.json(
      {
        status: isReady ? 'ready' : 'not ready',
        temporal: temporalAnswers ? 'ok' : 'does not answer',
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
