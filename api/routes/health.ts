import type { Hono } from 'hono';
import { createReadiness } from '../../composition/readiness.ts';
import type { Problem } from '../../composition/readiness.ts';
import type { Api } from '../context.ts';
import type { ApiParts } from '../parts.ts';

/** Problems that leave inquiries, cancellations, deletions and the payment gateway's callbacks working. */
const tolerated: readonly Problem['kind'][] = ['temporal', 'workers'];

/**
 * Liveness: `GET /healthz`. Readiness: `GET /readyz`, with reasons. It stays 200 while only registrations are refused, so
 * that a load balancer keeps sending what works.
 */
export function serveHealth(app: Hono<Api>, parts: ApiParts): void {
  app.get('/healthz', (context) => context.json({ status: 'ok' }, 200));

  const findProblems = createReadiness(parts);
  app.get('/readyz', async (context) => {
    const problems = await findProblems();
    const reasons = problems.map(({ reason }) => reason);
    if (problems.some(({ kind }) => !tolerated.includes(kind)))
      return context.json({ status: 'not ready', reasons }, 503);
    return context.json({ status: reasons.length > 0 ? 'degraded' : 'ready', reasons }, 200);
  });
}
