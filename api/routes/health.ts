import { setTimeout as delay } from 'node:timers/promises';
import type { Hono } from 'hono';
import type { Api, ApiParts } from '../context.ts';

/** How long a dependency may take to answer, in ms. */
const probeDeadline = 1_000;

/** `GET /healthz`: the process lives. `GET /readyz`: Temporal and the database answer; 503 says which does not. */
export function serveHealth(app: Hono<Api>, { temporal, database }: ApiParts): void {
  app.get('/healthz', (context) => context.json({ status: 'ok' }, 200));

  async function probe(): Promise<[boolean, boolean]> {
    return await Promise.all([
      answers(
        temporal.withDeadline(Date.now() + probeDeadline, () => temporal.workflowService.getSystemInfo({})),
      ),
      Promise.race([answers(database.ping()), delay(probeDeadline, false, { ref: false })]),
    ]);
  }
  let underWay: Promise<[boolean, boolean]> | undefined;

  app.get('/readyz', async (context) => {
    // However many ask at once, the database is asked once.
    underWay ??= probe().finally(() => {
      underWay = undefined;
    });
    const [temporalAnswers, databaseAnswers] = await underWay;
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
