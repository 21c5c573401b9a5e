import type { CallConclusion, RefusalReason } from './protocol.ts';

/** What the bank does when a registration is asked of it. */
export type RegistrationConduct =
  | { kind: 'REGISTERS' }
  | { kind: 'REFUSES'; reason: RefusalReason }
  /** Registers, then cuts the connection instead of answering. */
  | { kind: 'REGISTERS_BUT_ANSWER_IS_LOST' }
  /** Neither registers nor answers the first `times` requests of a reference, then registers. */
  | { kind: 'SILENT_AT_FIRST'; times: number }
  /** Answers 503 to the first `times` requests of a reference, then registers. */
  | { kind: 'UNAVAILABLE_AT_FIRST'; times: number }
  /** Accepts, and tells the result by callback later. */
  | { kind: 'ACCEPTS' };

/** How one kind of bank account behaves. */
export interface AccountConduct {
  /** Result of the account-holder inquiry. */
  holder: 'MATCHED' | RefusalReason;
  registration: RegistrationConduct;
}

/** How one kind of phone behaves when it is rung. */
export interface PhoneConduct {
  /** How the call ends; BY_PERSON leaves that to whoever sits at the phone page. */
  conclusion: CallConclusion | 'BY_PERSON';
  /** How attempt 1 ends instead, when it is the first call of its reference. */
  firstConclusion?: CallConclusion;
  /** How many times the result is called back; each is repeated until acknowledged. */
  callbacks: number;
  /** The callback is acknowledged before the call request is answered. */
  callbackBeforeAnswer?: true;
  /** The recording never appears; the gateway then takes whatever it is given as evidence of such a call. */
  recordingIsLost?: true;
}

/** Milliseconds for which the simulated world lets things last. */
export interface Timings {
  /** From the call request to the end of a call no person takes part in. */
  callLasts: number;
  /** How long a phone of the phone page rings. */
  phoneRings: number;
  /** How long an answered phone of the phone page waits for a key. */
  codeAwaited: number;
  /** From the acceptance of a registration to its result. */
  registrationLasts: number;
  /** How long a request left unanswered is held open. */
  silenceLasts: number;
}

export const defaultTimings: Timings = {
  callLasts: 300,
  phoneRings: 150_000,
  codeAwaited: 120_000,
  registrationLasts: 3000,
  silenceLasts: 30_000,
};

const registers: RegistrationConduct = { kind: 'REGISTERS' };

/** Accounts by the last four digits of the account number. */
const accounts: Readonly<Record<string, AccountConduct>> = {
  '9001': refusedAtInquiry('NAME_MISMATCH'),
  '9002': { holder: 'MATCHED', registration: { kind: 'REFUSES', reason: 'LIFETIME_ACCOUNT' } },
  '9003': { holder: 'MATCHED', registration: { kind: 'REFUSES', reason: 'ACCOUNT_RESTRICTED' } },
  '9004': { holder: 'MATCHED', registration: { kind: 'REGISTERS_BUT_ANSWER_IS_LOST' } },
  '9005': { holder: 'MATCHED', registration: { kind: 'SILENT_AT_FIRST', times: 1 } },
  '9006': { holder: 'MATCHED', registration: { kind: 'ACCEPTS' } },
  '9007': { holder: 'MATCHED', registration: { kind: 'UNAVAILABLE_AT_FIRST', times: 2 } },
  '9091': refusedAtInquiry('NO_SUCH_ACCOUNT'),
  '9092': refusedAtInquiry('ACCOUNT_CLOSED'),
  '9093': refusedAtInquiry('ACCOUNT_DORMANT'),
  '9094': refusedAtInquiry('WRONG_ACCOUNT_KIND'),
  '9095': refusedAtInquiry('HOLDER_DECEASED'),
  '9096': refusedAtInquiry('ACCIDENT_REPORTED'),
  '9097': refusedAtInquiry('ACCOUNT_SEIZED'),
  '9098': refusedAtInquiry('BIRTH_DATE_MISMATCH'),
};

const passes: CallConclusion = { state: 'PASSED' };

/** Phones by the last four digits of the mobile number. */
const phones: Readonly<Record<string, PhoneConduct>> = {
  '0001': { conclusion: { state: 'FAILED', outcome: 'NO_ANSWER' }, callbacks: 1 },
  '0002': { conclusion: passes, firstConclusion: { state: 'FAILED', outcome: 'NO_ANSWER' }, callbacks: 1 },
  '0003': { conclusion: { state: 'FAILED', outcome: 'WRONG_CODE' }, callbacks: 1 },
  '0004': { conclusion: { state: 'FAILED', outcome: 'HUNG_UP' }, callbacks: 1 },
  '0005': { conclusion: passes, callbacks: 3 },
  '0006': { conclusion: passes, callbacks: 0 },
  '0007': { conclusion: passes, callbacks: 1, callbackBeforeAnswer: true },
  '0008': { conclusion: 'BY_PERSON', callbacks: 1 },
  '0009': { conclusion: { state: 'NO_OUTCOME' }, callbacks: 0 },
  '0020': { conclusion: passes, callbacks: 1, recordingIsLost: true },
  '0091': { conclusion: { state: 'FAILED', outcome: 'BUSY' }, callbacks: 1 },
  '0092': { conclusion: { state: 'FAILED', outcome: 'REJECTED' }, callbacks: 1 },
  '0093': { conclusion: { state: 'FAILED', outcome: 'NO_INPUT' }, callbacks: 1 },
  '0094': { conclusion: { state: 'FAILED', outcome: 'NOT_IN_SERVICE' }, callbacks: 1 },
  '0095': { conclusion: { state: 'FAILED', outcome: 'CARRIER_ERROR' }, callbacks: 1 },
};

/** How the account behaves; an account number no row names simply works. */
export function accountConduct(accountNumber: string): AccountConduct {
  return accounts[lastFourDigits(accountNumber)] ?? { holder: 'MATCHED', registration: registers };
}

/** How the phone behaves; a phone number no row names passes. */
export function phoneConduct(phoneNumber: string): PhoneConduct {
  return phones[lastFourDigits(phoneNumber)] ?? { conclusion: passes, callbacks: 1 };
}

/** A bank that refuses at the inquiry refuses a registration asked of it all the same. */
function refusedAtInquiry(reason: RefusalReason): AccountConduct {
  return { holder: reason, registration: { kind: 'REFUSES', reason } };
}

function lastFourDigits(number: string): string {
  return number.replaceAll('-', '').slice(-4);
}
