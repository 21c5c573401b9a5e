import type { ResultCode } from '../wire/result-codes.ts';
import { codes } from '../wire/result-codes.ts';

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
  NAME_MISMATCH: codes.HOLDER_NAME_MISMATCH,
  BIRTH_DATE_MISMATCH: codes.HOLDER_BIRTH_DATE_MISMATCH,
  NO_SUCH_ACCOUNT: codes.NO_SUCH_ACCOUNT,
  ACCOUNT_CLOSED: codes.ACCOUNT_CLOSED,
  ACCOUNT_RESTRICTED: codes.RESTRICTED_ACCOUNT,
  ACCOUNT_DORMANT: codes.ACCOUNT_DORMANT,
  WRONG_ACCOUNT_KIND: codes.WRONG_ACCOUNT_KIND,
  LIFETIME_ACCOUNT: codes.LIFETIME_ACCOUNT,
  HOLDER_DECEASED: codes.HOLDER_DECEASED,
  ACCIDENT_REPORTED: codes.ACCOUNT_REPORTED_LOST,
  ACCOUNT_SEIZED: codes.ACCOUNT_SEIZED,
  EVIDENCE_INVALID: codes.EVIDENCE_NOT_SECURED,
};
