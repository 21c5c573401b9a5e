import type { Activities } from '../contract/activities.ts';
import type { FindingDetail, ReconciliationStage } from '../contract/reconciliation.ts';
import type { LedgerEntry, RegistrationInquiryAnswer } from '../payment-gateway/payment-gateway.ts';
import { nextCursor } from '../database/reconciliations.ts';
import type { Conclusion, Standing } from '../database/reconciliations.ts';
import type { RegisteredAccount } from '../database/registrations.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** How many differences one activity inquires about at the payment gateway. */
const inquiriesPerPage = 20;

/** Compares our ledger with the payment gateway's. It reads both and repairs nothing. */
export function reconciliationActivities({
  stores: { reconciliations, registrations },
  paymentGateway,
}: ActivityDependencies): Pick<Activities, ReconciliationStage> {
  /** Inquires until our status is the same before and after the payment gateway's answer. It only moves forward. */
  async function lookAtBoth(reconciliationId: string, first: Standing, signal: AbortSignal) {
    for (let before = first; ;) {
      const inquiry = await paymentGateway.inquireRegistration(first.registrationNumber, signal);
      const after = await reconciliations.readStatus(reconciliationId, first.registrationNumber);
      if (after.withUs === before.withUs) return concludeFinally(after, inquiry.state);
      before = after;
    }
  }

  return {
    async beginReconciliation({ reconciliationId }) {
      await reconciliations.begin(reconciliationId);
      return null;
    },

    async takeInLedger({ reconciliationId, cursor, size }) {
      const page = await paymentGateway.listRegistrations({ cursor, limit: size }, deadline());
      const live = page.registrations.filter(({ state }) => state === 'REGISTERED');
      const ours = await registrations.openAccounts(live.map(({ reference }) => reference));
      const entries = live.map((entry) => ({
        registrationNumber: entry.reference,
        entryId: entry.entryId,
        difference: differenceBetween(entry, ours.get(entry.reference)),
      }));
      await reconciliations.addEntries(reconciliationId, entries);
      return page.nextCursor;
    },

    addUnlistedAccounts: (page) => reconciliations.addAccounts(page),

    async compareRegistrations(page) {
      const standings = await reconciliations.readStandings(page, 'ALL');
      await reconciliations.conclude(page.reconciliationId, standings.map(conclude));
      return nextCursor(standings, page.size);
    },

    async lookAgain({ reconciliationId, cursor }) {
      const page = { reconciliationId, cursor, size: inquiriesPerPage };
      const signal = deadline();
      const standings = await reconciliations.readStandings(page, 'FINDINGS');
      for (const standing of standings) {
        const conclusion = await lookAtBoth(reconciliationId, standing, signal);
        await reconciliations.conclude(reconciliationId, [conclusion]);
      }
      return nextCursor(standings, inquiriesPerPage);
    },

    async endReconciliation({ reconciliationId }) {
      await reconciliations.end(reconciliationId);
      return null;
    },

    forgetMatches: (page) => reconciliations.forgetMatches(page),
  };
}

/** How an entry differs from what we registered; null if it does not, or if we never registered it. */
function differenceBetween(entry: LedgerEntry, ours: RegisteredAccount | undefined): FindingDetail | null {
  if (!ours) return null;
  if (entry.memberId !== ours.userId) return 'OTHER_MEMBER';
  if (entry.bankCode !== ours.bankCode) return 'OTHER_BANK';
  if (ours.accountNumber === undefined) return 'ACCOUNT_UNREADABLE';
  return digitsOf(entry.accountNumber) === digitsOf(ours.accountNumber) ? null : 'OTHER_ACCOUNT_NUMBER';
}

function digitsOf(accountNumber: string): string {
  return accountNumber.replaceAll('-', '');
}

function conclude({ registrationNumber, withUs, entries, difference }: Standing): Conclusion {
  const conclusion = (kind: Conclusion['kind'], detail: FindingDetail | null = null) => ({
    registrationNumber,
    kind,
    detail,
  });
  if (withUs === 'AWAITING_REMOVAL') return conclusion('AWAITING_REMOVAL');
  if (entries === 0) {
    return withUs === 'ACTIVE' ? conclusion('MISSING_AT_PAYMENT_GATEWAY', 'NOT_FOUND') : conclusion(null);
  }
  if (withUs === 'UNKNOWN') return conclusion('UNKNOWN_TO_US', 'NEVER_ASKED_FOR');
  if (withUs === 'FAILED') return conclusion('UNKNOWN_TO_US', 'FAILED_WITH_US');
  if (withUs === 'OVERDUE') return conclusion('DIFFERENT', 'STILL_OPEN_WITH_US');
  if (withUs === 'REMOVED') return conclusion('DIFFERENT', 'REMOVED_WITH_US');
  if (entries > 1) return conclusion('DIFFERENT', 'REGISTERED_MORE_THAN_ONCE');
  if (difference) return conclusion('DIFFERENT', difference);
  return conclusion(withUs === 'ACTIVE' ? 'MATCHED' : 'IN_PROGRESS');
}

/** Why a registration that is active in our ledger is missing at the payment gateway. */
const missingDetails: Record<Exclude<RegistrationInquiryAnswer['state'], 'REGISTERED'>, FindingDetail> = {
  NOT_FOUND: 'NOT_FOUND',
  REMOVED: 'REMOVED',
  REFUSED: 'REFUSED',
  IN_PROGRESS: 'NOT_REGISTERED_YET',
};

/** Concludes from the inquiry about this registration, which counts more than the page of the ledger. */
function concludeFinally(standing: Standing, state: RegistrationInquiryAnswer['state']): Conclusion {
  const conclusion = conclude(state === 'REGISTERED' ? standing : { ...standing, entries: 0 });
  if (conclusion.kind !== 'MISSING_AT_PAYMENT_GATEWAY') return conclusion;
  if (state === 'REGISTERED') return { ...conclusion, kind: 'DIFFERENT', detail: 'NOT_IN_LEDGER' };
  return { ...conclusion, detail: missingDetails[state] };
}
