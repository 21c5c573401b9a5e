/** Results that are no discrepancy. */
const matches = [
  /** Registered at the payment gateway, active here, with equal data. */
  'MATCHED',
  /** Registered at the payment gateway; the registration's run has not ended yet. */
  'IN_PROGRESS',
  /** Replaced or deleted here; its removal at the payment gateway is in progress. */
  'AWAITING_REMOVAL',
] as const;

/** Results that an operator must look into. */
export const findingKinds = ['MISSING_AT_PAYMENT_GATEWAY', 'UNKNOWN_TO_US', 'DIFFERENT'] as const;

/** One of {@link findingKinds}. */
export type FindingKind = (typeof findingKinds)[number];

/** The result of a reconciliation for one registration. */
export const reconciliationKinds = [...matches, ...findingKinds] as const;

/** One of {@link reconciliationKinds}. */
export type ReconciliationKind = (typeof reconciliationKinds)[number];

/** The number of registrations with each result. */
export type ReconciliationCounts = Readonly<Record<ReconciliationKind, number>>;

/** What was found, and what an operator should do about it. "There" is the payment gateway, "here" this service. */
export const findingDetails = {
  NOT_FOUND: 'active here, unknown there: ask the member to register again',
  REMOVED: 'active here, removed there: ask the payment gateway who removed it',
  REFUSED: 'active here, refused there: ask the payment gateway when and why it was refused',
  NOT_REGISTERED_YET: 'active here, still in progress there: ask the payment gateway what it waits for',
  NEVER_ASKED_FOR:
    'registered there under a number that we never issued: ask the payment gateway who registered it',
  FAILED_WITH_US: 'registered there, failed here: ask the payment gateway to remove it',
  REMOVED_WITH_US: 'registered there, removed here: ask the payment gateway to remove it',
  STILL_OPEN_WITH_US:
    'registered there, open here for 30 days: resolve it if it is in review, otherwise ask the payment gateway to remove it',
  REGISTERED_MORE_THAN_ONCE:
    'registered there more than once: ask the payment gateway to remove all entries but one',
  OTHER_MEMBER: 'belongs to another member there: ask the payment gateway to correct it',
  OTHER_BANK: 'is at another bank there: ask the payment gateway to correct it',
  OTHER_ACCOUNT_NUMBER: 'has another account number there: ask the payment gateway to correct it',
  OTHER_EVIDENCE:
    'was registered there with other evidence of consent than is stored here: verify the evidence, and restore it from a backup',
  ACCOUNT_UNREADABLE: 'our own account number cannot be decrypted: check DATABASE_KEYS and the member’s key',
  NOT_IN_LEDGER:
    'registered according to the inquiry but not in the ledger there: ask the payment gateway which is correct',
} as const;

/** One of {@link findingDetails}. */
export type FindingDetail = keyof typeof findingDetails;

/** A registration on which the two ledgers disagree. */
export interface ReconciliationFinding {
  /** The payment gateway's reference: our registration number, unless we never issued it. */
  readonly registrationNumber: string;
  readonly kind: FindingKind;
  readonly detail: FindingDetail;
}

/** A reconciliation as shown to operators. */
export interface ReconciliationReport {
  readonly reconciliationId: string;
  readonly startedAt: Date;
  /** Null while it runs, or if it was terminated. */
  readonly endedAt: Date | null;
  /** Null until it has ended. */
  readonly counts: ReconciliationCounts | null;
  /** The end of the audit trail at its end, as it is published. */
  readonly auditTrailHead: string | null;
}

/**
 * The stages in order, each with its summary in Temporal. A stage is an activity that is called page by page. No stage
 * changes either ledger.
 */
export const reconciliationStages = {
  beginReconciliation: 'Record the start of the reconciliation',
  takeInLedger: 'Record the payment gateway’s ledger, compared with what we requested',
  addUnlistedAccounts: 'Record our accounts that the payment gateway’s ledger lacks',
  compareRegistrations: 'Decide whether each registration matches',
  lookAgain: 'Check each disagreement again, because both ledgers may have changed',
  endReconciliation: 'Count the results and record the end of the reconciliation',
  forgetMatches: 'Delete the records of registrations without a finding',
} as const;

/** One of {@link reconciliationStages}. */
export type ReconciliationStage = keyof typeof reconciliationStages;

/** One page of a stage. */
export interface ReconciliationPage {
  readonly reconciliationId: string;
  /** Where the page begins: the cursor that the previous page returned; null for the first page. */
  readonly cursor: string | null;
  /** The maximum number of entries or rows. */
  readonly size: number;
}

/** Input of the reconciliation. One that is started has none. */
export interface ReconciliationInput {
  /** The maximum number of entries or rows per activity. Default: {@link reconciliationPageSize}. */
  readonly pageSize?: number;
  /** Where the previous run stopped. */
  readonly from?: { readonly stage: ReconciliationStage; readonly cursor: string | null };
}

/** The workflow ID of a reconciliation that an operator starts. Temporal appends the time for scheduled ones. */
export const reconciliationWorkflowId = 'reconciliation';

/** The page size of production. */
export const reconciliationPageSize = 500;
