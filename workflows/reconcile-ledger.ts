import { makeContinueAsNewFunc, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { reconciliationPageSize, reconciliationStages } from '../contract/reconciliation.ts';
import type { ReconciliationInput, ReconciliationStage } from '../contract/reconciliation.ts';
import { reconcilePage } from './activity-proxies.ts';

const stages = Object.keys(reconciliationStages) as ReconciliationStage[];
const continueAsNew = makeContinueAsNewFunc<typeof reconcileLedger>({});

/**
 * Compares our ledger with the payment gateway's, page by page, and reports; it repairs nothing. It stores what it
 * finds in the database. When the history grows long, a new run continues at the next page.
 * @returns the ID of the reconciliation, under which operators find the report: the ID of its first run
 */
export async function reconcileLedger({
  pageSize = reconciliationPageSize,
  from,
}: ReconciliationInput = {}): Promise<string> {
  const { firstExecutionRunId: reconciliationId } = workflowInfo();
  const remaining = stages.slice(from ? stages.indexOf(from.stage) : 0);
  let cursor = from?.cursor ?? null;
  for (const stage of remaining) {
    setCurrentDetails(`**Reconciling the ledger**\n\n- ${reconciliationStages[stage]}`);
    do {
      if (workflowInfo().continueAsNewSuggested) await continueAsNew({ pageSize, from: { stage, cursor } });
      cursor = await reconcilePage(stage, { reconciliationId, cursor, size: pageSize });
    } while (cursor !== null);
  }
  return reconciliationId;
}
