/** What of a reconciliation's result is no discrepancy. */
const matches = [
  /** Live at the payment gateway and active with us, and both say the same. */
  'MATCHED',
  /** Live at the payment gateway, while the registration's run is still under way. */
  'IN_PROGRESS',
  /** Out of use with us; its removal at the payment gateway is under way. */
  'AWAITING_REMOVAL',
] as const;

/** What of a reconciliation's result somebody must look into. */
export const findingKinds = ['MISSING_AT_PAYMENT_GATEWAY', 'UNKNOWN_TO_US', 'DIFFERENT'] as const;

/** One of {@link findingKinds}. */
export type FindingKind = (typeof findingKinds)[number];

/** How a registration stands in both ledgers. */
export const reconciliationKinds = [...matches, ...findingKinds] as const;

/** One of {@link reconciliationKinds}. */
export type ReconciliationKind = (typeof reconciliationKinds)[number];

/** How many registrations stand how. */
export type ReconciliationCounts = Readonly<Record<ReconciliationKind, number>>;

/** What exactly was found, with what it means and what to do, for operators. */
export const findingDetails = {
  NOT_FOUND: 'active with us, never heard of there: have the member register anew',
  REMOVED: 'active with us, removed there: ask the payment gateway who removed it',
  REFUSED: 'active with us, refused there: ask the payment gateway when it changed its mind',
  NOT_REGISTERED_YET: 'active with us, still in progress there: ask the payment gateway what it waits for',
  NEVER_ASKED_FOR: 'live there under a number we never gave out: ask the payment gateway who registered it',
  FAILED_WITH_US: 'live there, ended without an account with us: have the payment gateway remove it',
  REMOVED_WITH_US: 'live there, removed with us: have the payment gateway remove it',
  STILL_OPEN_WITH_US:
    'live there, not ended with us for 30 days: resolve it if it is among the reviews, else have the payment gateway remove it',
  REGISTERED_MORE_THAN_ONCE: 'live there more than once: have the payment gateway remove all but one entry',
  OTHER_MEMBER: 'belongs to another member there: have the payment gateway put it right',
  OTHER_BANK: 'is at another bank there: have the payment gateway put it right',
  OTHER_ACCOUNT_NUMBER: 'has another account number there: have the payment gateway put it right',
  ACCOUNT_UNREADABLE: 'our own account number cannot be opened: check DATABASE_KEYS and the member’s key',
  NOT_IN_LEDGER: 'registered by inquiry but not in the ledger there: ask the payment gateway which is true',
} as const;

/** One of {@link findingDetails}. */
export type FindingDetail = keyof typeof findingDetails;

/** A registration on which the two ledgers disagree. */
export interface ReconciliationFinding {
  /** As the payment gateway has it: the registration number, for all that we asked for. */
  readonly registrationNumber: string;
  readonly kind: FindingKind;
  readonly detail: FindingDetail;
}

/** A reconciliation, as operators see it. */
export interface ReconciliationReport {
  readonly reconciliationId: string;
  readonly startedAt: Date;
  /** Null while it runs, or when it was terminated. */
  readonly endedAt: Date | null;
  /** Null until it has ended. */
  readonly counts: ReconciliationCounts | null;
}

/**
 * What is done, in this order, each an activity that is called page by page, and what it does for people. Nothing of
 * it changes anything in either ledger.
 */
export const reconciliationStages = {
  beginReconciliation: 'Write down that the reconciliation begins',
  takeInLedger: 'Note what is in the payment gateway’s ledger, compared with what was asked for',
  addUnlistedAccounts: 'Note our accounts that should be there and are not',
  compareRegistrations: 'Conclude how each registration stands',
  lookAgain: 'Ask about each disagreement once more, since both sides went on meanwhile',
  endReconciliation: 'Count, and write down that the reconciliation has ended',
  forgetMatches: 'Forget the notes that are no findings',
} as const;

/** One of {@link reconciliationStages}. */
export type ReconciliationStage = keyof typeof reconciliationStages;

/** One page of a stage. */
export interface ReconciliationPage {
  readonly reconciliationId: string;
  /** Where the page begins: what the page before it answered; null: at the beginning. */
  readonly cursor: string | null;
  /** How many entries or rows it may have. */
  readonly size: number;
}

/** Input of the reconciliation. */
export interface ReconciliationInput {
  /** How many entries or rows one activity works on. */
  readonly pageSize: number;
  /** Where the run before this one stopped. */
  readonly from?: { readonly stage: ReconciliationStage; readonly cursor: string | null };
}

/** The workflow ID of a reconciliation that an operator starts; Temporal puts a time after it for the scheduled ones. */
export const reconciliationWorkflowId = 'reconciliation';

/** The page size of production. */
export const reconciliationPageSize = 500;
