/** Every path a run can take; each has a recorded history of every version that could take it. */
export const paths = [
  'registered',
  'account-changed',
  'account-changed-removal',
  'account-changed-removal-repeated',

  'real-name-check-002_901-name',
  'real-name-check-002_902-birth-date',
  'real-name-check-002_903-no-account',
  'real-name-check-002_904-closed',
  'real-name-check-002_905-dormant',
  'real-name-check-002_906-wrong-kind',
  'real-name-check-002_907-deceased',
  'real-name-check-002_908-accident',
  'real-name-check-002_909-seized',
  'real-name-check-002_913-given-up',

  'ars-call-no-answer-once',
  'ars-call-no-answer-twice',
  'ars-call-wrong-code',
  'ars-call-callback-lost',
  'ars-call-callback-early',
  'ars-call-callback-three-times',
  'ars-call-callback-late-or-foreign',
  'ars-call-no-outcome',
  'ars-call-not-placed',
  'ars-call-answer-lost',
  'resumed-during-ars-call',

  'ars-call-limit-reached',
  'ars-call-postponed',
  'ars-call-outside-calling-hours',
  'cancelled-outside-calling-hours',

  'bank-closed-before-the-check',
  'bank-closed-before-the-check-002_918',
  'bank-closed-before-the-registration',
  'bank-closed-before-the-registration-002_918',
  'bank-closed-between-attempts',

  'evidence-002_910-never-ready',
  'evidence-002_910-invalid',

  'payment-gateway-002_015-lifetime-account',
  'payment-gateway-002_016-restricted',
  'payment-gateway-002_910-evidence-refused',
  'payment-gateway-answer-lost',
  'payment-gateway-unanswered',
  'payment-gateway-unavailable-twice',
  'payment-gateway-callback',
  'payment-gateway-callback-lost',
  'payment-gateway-refuses-by-callback',

  'review-resolved-as-registered',
  'review-resolved-as-not-registered',
  'review-ended-by-callback',

  'cancelled-during-real-name-check',
  'cancelled-during-ars-call',
  'cancelled-during-evidence',
  'cancelled-too-late',
  'cancelled-by-the-service-provider',

  'deleted-removal',
  'auto-charge-registered',
  'auto-charge-refused',
  'auto-charge-without-account',

  'result-notification-for-registered',
  'result-notification-for-failed',
  'result-notification-delivered',
  'result-notification-delivered-at-last',
  'result-notification-unwanted',
  'result-notification-exhausted',

  'ledger-reconciled',
  'ledger-reconciled-with-findings',
  'ledger-reconciliation-left-behind',
  'ledger-reconciliation-continued',
  'ledger-reconciliation-repeated',
  'evidence-purged',
] as const;

/** One of {@link paths}. */
export type Path = (typeof paths)[number];
