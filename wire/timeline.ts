/** The steps of a registration, with their names in Korean and English. */
export const timelineLabels = {
  ACCEPTED: { ko: '등록 요청 접수', en: 'Registration accepted' },
  ACCOUNT_HOLDER_CHECKED: { ko: '예금주 실명 확인', en: 'Real-name check' },
  POSTPONED: { ko: '재개 대기', en: 'Waiting for the bank or payment gateway to open' },
  ARS_CALL_PLACED: { ko: 'ARS 전화 발신', en: 'ARS call placed' },
  ARS_CALL_ENDED: { ko: 'ARS 전화 종료', en: 'ARS call ended' },
  CONSENT_EVIDENCE_STORED: { ko: '동의 녹취 보관', en: 'Evidence of consent stored' },
  REGISTRATION_ATTEMPTED: { ko: 'PG 계좌 등록 요청', en: 'Registration requested at the payment gateway' },
  REGISTRATION_INQUIRED: { ko: 'PG 등록 결과 조회', en: 'Payment gateway asked for the result' },
  REGISTRATION_TOLD: { ko: 'PG 등록 결과 통지', en: 'Payment gateway reported the result' },
  REVIEW_BEGUN: { ko: '운영자 확인 대기', en: 'Waiting for an operator' },
  REVIEW_RESOLVED: { ko: '운영자 확인 완료', en: 'Resolved by an operator' },
  CANCEL_REQUESTED: { ko: '등록 취소 요청', en: 'Cancellation requested' },
  ENDED: { ko: '등록 종료', en: 'Registration ended' },
} as const satisfies Record<string, { readonly ko: string; readonly en: string }>;

/** One of the steps, such as `ARS_CALL_PLACED`. */
export type TimelineStep = keyof typeof timelineLabels;

/** One step of a registration as it happened. Contains no personal data. */
export interface TimelineEntry {
  readonly step: TimelineStep;
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** Counts the steps of the same kind, from 1. */
  readonly attempt: number;
  /** The outcome: a name or a result code. */
  readonly outcome: string;
  /** When a waiting registration continues. ISO 8601 in UTC. */
  readonly until?: string;
}
