import { z } from 'zod';

/** Why a bank refuses an account. */
export type BankRefusal =
  | 'NAME_MISMATCH'
  | 'BIRTH_DATE_MISMATCH'
  | 'NO_SUCH_ACCOUNT'
  | 'ACCOUNT_CLOSED'
  | 'ACCOUNT_RESTRICTED'
  | 'ACCOUNT_DORMANT'
  | 'WRONG_ACCOUNT_KIND'
  | 'LIFETIME_ACCOUNT'
  | 'HOLDER_DECEASED'
  | 'ACCIDENT_REPORTED'
  | 'ACCOUNT_SEIZED';

/** Why a registration is refused: the bank's reason, or unacceptable evidence. */
export type RegistrationRefusal = BankRefusal | 'EVIDENCE_INVALID';

/** Why a call failed. */
export type CallOutcome =
  | 'NO_ANSWER'
  | 'BUSY'
  | 'REJECTED'
  | 'HUNG_UP'
  | 'NO_INPUT'
  | 'WRONG_CODE'
  | 'NOT_IN_SERVICE'
  | 'CARRIER_ERROR';

/** How a call ended. NO_OUTCOME: the ARS lost track of the call. */
export type CallConclusion =
  | { state: 'PASSED' }
  | { state: 'FAILED'; outcome: CallOutcome }
  | { state: 'NO_OUTCOME' };

/** Body of the callback that reports how a call ended. */
export interface CallCallback {
  type: 'ARS';
  reference: string;
  attempt: number;
  callId: string;
  state: 'PASSED' | 'FAILED';
  outcome?: CallOutcome;
  recordingSeconds?: number;
}

/** Body of the callback that reports the result of an accepted registration. */
export interface RegistrationCallback {
  type: 'REGISTRATION';
  reference: string;
  state: 'REGISTERED' | 'REFUSED';
  reason?: RegistrationRefusal;
}

const text = z.string().min(1).max(400);
const digitsAndHyphens = z
  .string()
  .max(40)
  .regex(/^[\d-]*\d[\d-]*$/);
const callbackUrl = z.url({ protocol: /^https?$/ }).max(2000);
const attempt = z.int().min(1);

const account = {
  bankCode: text,
  accountNumber: digitsAndHyphens,
  holderName: text,
  birthDate: text,
};

export const accountHolderInquiry = z.object(account);

export const callRequest = z.object({
  reference: text,
  attempt,
  phoneNumber: z
    .string()
    .max(40)
    .regex(/^\+?[\d-]*\d[\d-]*$/),
  /** The two digits that the member must press. */
  code: z.string().regex(/^\d{2}$/),
  scriptVersion: text,
  callbackUrl,
});

export const callInquiry = z.object({ reference: text, attempt });

export const recordingRequest = z.object({ callId: text });

export const registrationRequest = z.object({
  reference: text,
  memberId: z.string().max(40).regex(/^\d+$/),
  ...account,
  /** `sha256` is the lower-case hex digest of the call's recording. */
  evidence: z.object({ kind: z.literal('ARS'), callId: text, sha256: text }),
  callbackUrl,
});

export const registrationInquiry = z.object({ reference: text });

export const registrationRemoval = z.object({ reference: text });

export const ledgerPage = z.object({
  /** The previous page's `nextCursor`; absent for the first page. */
  cursor: z
    .string()
    .max(60)
    .regex(/^\d+:\d+$/)
    .optional(),
  limit: z.int().min(1).max(1000).default(500),
});

export const keyedCode = z.object({ code: z.string().regex(/^\d{1,2}$/) });

export const bankState = z.object({ available: z.boolean() });

export type CallRequest = z.infer<typeof callRequest>;
export type RegisterRequest = z.infer<typeof registrationRequest>;
export type LedgerQuery = z.infer<typeof ledgerPage>;
