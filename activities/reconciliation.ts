import type { Activities } from '../contract/activities.ts';
import { digitsOf } from '../wire/account-number.ts';
import { currentBankCode } from '../wire/bank-codes.ts';
import type { FindingDetail, ReconciliationStage } from '../contract/reconciliation.ts';
import type { LedgerEntry, RegistrationInquiryAnswer } from '../payment-gateway/payment-gateway.ts';
import { formatHead } from '../database/audit-trail.ts';
import { nextCursor } from '../database/reconciliations.ts';
import type { Conclusion, ComparedRegistration } from '../database/reconciliations.ts';
import type { RegisteredAccount } from '../database/registrations.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** How many findings one activity inquires about. */
const inquiriesPerPage = 20;

/** Compares our ledger with the payment gateway's. It reads both and repairs nothing. */
export function reconciliationActivities({
  stores: { reconciliations, registrations, auditTrail },
  paymentGateway,
}: ActivityDependencies): Pick<Activities, ReconciliationStage> {
  /** Inquires again if our state changed during the inquiry. Our state only moves forwards, so this ends. */
  async function compareAgain(reconciliationId: string, first: ComparedRegistration, signal: AbortSignal) {
    for (let before = first; ;) {
      const inquiry = await paymentGateway.inquireRegistration(first.registrationNumber, signal);
      const after = await reconciliations.readCompared(reconciliationId, first.registrationNumber);
      if (after.ourState === before.ourState) return concludeFromInquiry(after, inquiry.state);
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
      const compared = await reconciliations.listCompared(page, 'ALL');
      await reconciliations.conclude(page.reconciliationId, compared.map(conclude));
      return nextCursor(compared, page.size);
    },

    async lookAgain({ reconciliationId, cursor }) {
      const page = { reconciliationId, cursor, size: inquiriesPerPage };
      const signal = deadline();
      const compared = await reconciliations.listCompared(page, 'FINDINGS');
      for (const registration of compared) {
        const conclusion = await compareAgain(reconciliationId, registration, signal);
        await reconciliations.conclude(reconciliationId, [conclusion]);
      }
      return nextCursor(compared, inquiriesPerPage);
    },

    async endReconciliation({ reconciliationId }) {
      const head = await auditTrail.head();
      await reconciliations.end(reconciliationId, head ? formatHead(head) : null);
      return null;
    },

    forgetMatches: (page) => reconciliations.forgetMatches(page),
  };
}

/** How an entry differs from our registration; null without a difference or without a registration. */
function differenceBetween(entry: LedgerEntry, ours: RegisteredAccount | undefined): FindingDetail | null {
  if (!ours) return null;
  if (entry.memberId !== ours.userId) return 'OTHER_MEMBER';
  if (currentBankCode(entry.bankCode) !== ours.bankCode) return 'OTHER_BANK';
  if (ours.accountNumber === undefined) return 'ACCOUNT_UNREADABLE';
  if (digitsOf(entry.accountNumber) !== digitsOf(ours.accountNumber)) return 'OTHER_ACCOUNT_NUMBER';
  const isListed = entry.evidenceSha256 !== undefined;
  return isListed && entry.evidenceSha256 !== ours.evidenceSha256 ? 'OTHER_EVIDENCE' : null;
}

function conclude({ registrationNumber, ourState, entries, difference }: ComparedRegistration): Conclusion {
  const conclusion = (kind: Conclusion['kind'], detail: FindingDetail | null = null) => ({
    registrationNumber,
    kind,
    detail,
  });
  if (ourState === 'AWAITING_REMOVAL') return conclusion('AWAITING_REMOVAL');
  if (entries === 0) {
    return ourState === 'ACTIVE' ? conclusion('MISSING_AT_PAYMENT_GATEWAY', 'NOT_FOUND') : conclusion(null);
  }
  if (ourState === 'UNKNOWN') return conclusion('UNKNOWN_TO_US', 'NEVER_ASKED_FOR');
  if (ourState === 'FAILED') return conclusion('UNKNOWN_TO_US', 'FAILED_WITH_US');
  if (ourState === 'OVERDUE') return conclusion('DIFFERENT', 'STILL_OPEN_WITH_US');
  if (ourState === 'REMOVED') return conclusion('DIFFERENT', 'REMOVED_WITH_US');
  if (entries > 1) return conclusion('DIFFERENT', 'REGISTERED_MORE_THAN_ONCE');
  if (difference) return conclusion('DIFFERENT', difference);
  return conclusion(ourState === 'ACTIVE' ? 'MATCHED' : 'IN_PROGRESS');
}

/** The details for a registration that is active here and not registered at the payment gateway. */
const missingDetails: Record<Exclude<RegistrationInquiryAnswer['state'], 'REGISTERED'>, FindingDetail> = {
  NOT_FOUND: 'NOT_FOUND',
  REMOVED: 'REMOVED',
  REFUSED: 'REFUSED',
  IN_PROGRESS: 'NOT_REGISTERED_YET',
};

/** The payment gateway's answer to the inquiry takes precedence over its ledger. */
function concludeFromInquiry(
  registration: ComparedRegistration,
  state: RegistrationInquiryAnswer['state'],
): Conclusion {
  const conclusion = conclude(state === 'REGISTERED' ? registration : { ...registration, entries: 0 });
  if (conclusion.kind !== 'MISSING_AT_PAYMENT_GATEWAY') return conclusion;
  if (state === 'REGISTERED') return { ...conclusion, kind: 'DIFFERENT', detail: 'NOT_IN_LEDGER' };
  return { ...conclusion, detail: missingDetails[state] };
}
