import type { Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { z } from 'zod';
import type { ReconciliationReport } from '../../contract/reconciliation.ts';
import type { Api, ApiParts } from '../context.ts';

/** How many reconciliations are listed. */
const listedReconciliations = 100;

const findingsPage = z.object({
  after: z.string().max(200).default(''),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

/**
 * `GET /operator/reconciliations`, the latest first, and `GET /operator/reconciliations/{id}` with its findings, for
 * operators and their monitoring. No part of the documented wire.
 */
export function serveOperator(app: Hono<Api>, { stores, operatorToken }: ApiParts): void {
  if (operatorToken !== undefined) app.use('/operator/*', bearerAuth({ token: operatorToken }));

  app.get('/operator/reconciliations', async (context) => {
    const reports = await stores.reconciliations.list(listedReconciliations);
    return context.json({ reconciliations: reports.map(toJson) }, 200);
  });

  app.get('/operator/reconciliations/:id', async (context) => {
    const page = findingsPage.safeParse(context.req.query());
    if (!page.success) return context.json({ error: 'limit must be 1 to 1000; after, a nextAfter.' }, 400);
    const report = await stores.reconciliations.find(context.req.param('id'));
    if (!report) {
      return context.json({ error: 'There is none of this ID: see GET /operator/reconciliations.' }, 404);
    }
    const { after, limit } = page.data;
    const found = await stores.reconciliations.listFindings(report.reconciliationId, after, limit + 1);
    const findings = found.slice(0, limit);
    const nextAfter = found.length > limit ? findings.at(-1)!.registrationNumber : null;
    return context.json({ ...toJson(report), findings, nextAfter }, 200);
  });
}

function toJson({ reconciliationId, startedAt, endedAt, counts }: ReconciliationReport) {
  return {
    id: reconciliationId,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    registrations: counts,
  };
}
