import type { ResultCode } from '../wire/result-codes.ts';

/** Why a payment gateway or bank refuses an account. */
export const refusalReasons = [
  'NAME_MISMATCH',
  'BIRTH_DATE_MISMATCH',
  'NO_SUCH_ACCOUNT',
  'ACCOUNT_CLOSED',
  'ACCOUNT_RESTRICTED',
  'ACCOUNT_DORMANT',
  'WRONG_ACCOUNT_KIND',
  'LIFETIME_ACCOUNT',
  'HOLDER_DECEASED',
  'ACCIDENT_REPORTED',
  'ACCOUNT_SEIZED',
  'EVIDENCE_INVALID',
] as const;

/** One of {@link refusalReasons}. */
export type RefusalReason = (typeof refusalReasons)[number];

/** The code the caller gets for each reason of refusal. */
export const resultCodeOfRefusal: Readonly<Record<RefusalReason, ResultCode>> = {
  NAME_MISMATCH: '002_901',
  BIRTH_DATE_MISMATCH: '002_902',
  NO_SUCH_ACCOUNT: '002_903',
  ACCOUNT_CLOSED: '002_904',
  ACCOUNT_RESTRICTED: '002_016',
  ACCOUNT_DORMANT: '002_905',
  WRONG_ACCOUNT_KIND: '002_906',
  LIFETIME_ACCOUNT: '002_015',
  HOLDER_DECEASED: '002_907',
  ACCIDENT_REPORTED: '002_908',
  ACCOUNT_SEIZED: '002_909',
  EVIDENCE_INVALID: '002_910',
};
