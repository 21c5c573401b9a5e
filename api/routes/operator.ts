import type { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import type { ReconciliationReport } from '../../contract/reconciliation.ts';
import type { Api } from '../context.ts';
import { allowOnly } from '../http/allowed-methods.ts';
import { requireToken } from '../http/bearer-token.ts';
import type { ApiParts } from '../parts.ts';

/** How many reconciliations are listed. */
const maxReconciliations = 100;

const findingsPage = z.object({
  after: z.string().max(200).default(''),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

/**
 * `GET /operator/reconciliations`, the latest first, and `GET /operator/reconciliations/{id}` with its findings, in
 * pages. For operators and their monitoring; not part of the wire.
 */
export function serveOperator(app: Hono<Api>, { stores, operatorTokens }: ApiParts): void {
  const { reconciliations } = stores;
  if (operatorTokens !== undefined) app.use('/operator/*', requireToken(operatorTokens));

  app.get('/operator/reconciliations', async (context) => {
    const reports = await reconciliations.list(maxReconciliations);
    return context.json({ reconciliations: reports.map(toJson) }, 200);
  });
  allowOnly(app, '/operator/reconciliations', 'GET, HEAD');

  app.get('/operator/reconciliations/:id', async (context) => {
    const page = findingsPage.safeParse(context.req.query());
    if (!page.success)
      throw new HTTPException(400, {
        message: 'Set limit to 1 to 1000, and after to the nextAfter of the previous page.',
      });
    const report = await reconciliations.find(context.req.param('id'));
    if (!report) {
      const message = 'No reconciliation has this ID; list them with GET /operator/reconciliations.';
      throw new HTTPException(404, { message });
    }
    return context.json({ ...toJson(report), ...(await readFindings(report, page.data)) }, 200);
  });
  allowOnly(app, '/operator/reconciliations/:id', 'GET, HEAD');

  async function readFindings(
    { reconciliationId }: ReconciliationReport,
    { after, limit }: z.output<typeof findingsPage>,
  ) {
    const found = await reconciliations.listFindings(reconciliationId, after, limit + 1);
    const findings = found.slice(0, limit);
    return { findings, nextAfter: found.length > limit ? findings.at(-1)!.registrationNumber : null };
  }
}

function toJson({ reconciliationId, startedAt, endedAt, counts, auditTrailHead }: ReconciliationReport) {
  return {
    id: reconciliationId,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    registrations: counts,
    auditTrailHead,
  };
}
