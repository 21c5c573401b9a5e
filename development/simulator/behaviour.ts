import type { BankRefusal, CallConclusion } from './protocol.ts';

/** How the bank handles a registration request. */
export type RegistrationBehaviour =
  | { kind: 'REGISTERS' }
  | { kind: 'REFUSES'; reason: BankRefusal }
  /** Registers, then cuts the connection instead of answering. */
  | { kind: 'REGISTERS_BUT_ANSWER_IS_LOST' }
  /** The same; and for a while the inquiry wrongly answers that there is no registration. */
  | { kind: 'REGISTERS_UNSEEN' }
  /** Neither registers nor answers the first `times` requests of a reference, then registers. */
  | { kind: 'SILENT_AT_FIRST'; times: number }
  /** Answers 503 to the first `times` requests of a reference, then registers. */
  | { kind: 'UNAVAILABLE_AT_FIRST'; times: number }
  /** Accepts, and reports the result later by callback. */
  | { kind: 'ACCEPTS' };

/** How one kind of bank account behaves. */
export interface AccountBehaviour {
  /** Result of the account-holder inquiry. */
  holder: 'MATCHED' | BankRefusal;
  registration: RegistrationBehaviour;
}

/** How one kind of phone behaves when it is called. */
export interface PhoneBehaviour {
  /** How the call ends. BY_PERSON: a person decides on the phone page. */
  conclusion: CallConclusion | 'BY_PERSON';
  /** How attempt 1 ends instead if it is the first call of its reference. */
  firstConclusion?: CallConclusion;
  /** How many callbacks report the result; each is repeated until acknowledged. */
  callbacks: number;
  /** The callback is acknowledged before the call request is answered. */
  callbackBeforeAnswer?: true;
  /** The recording never becomes available; the gateway then accepts any digest as evidence of such a call. */
  recordingIsLost?: true;
}

/** Durations in the simulation, in ms. */
export interface Timings {
  /** From the call request to the end of a call without a person. */
  callDurationMs: number;
  /** How long a call rings on the phone page. */
  ringTimeoutMs: number;
  /** How long an answered call on the phone page waits for the code. */
  codeTimeoutMs: number;
  /** From accepting a registration to its result. */
  registrationDurationMs: number;
  /** How long the inquiry does not show a registration that is seen late. */
  unseenForMs: number;
  /** How long an unanswered request is held open. */
  unansweredHoldMs: number;
}

export const defaultTimings: Timings = {
  callDurationMs: 300,
  ringTimeoutMs: 150_000,
  codeTimeoutMs: 120_000,
  registrationDurationMs: 3000,
  unseenForMs: 800,
  unansweredHoldMs: 30_000,
};

const registers: RegistrationBehaviour = { kind: 'REGISTERS' };

/** Accounts by the last four digits of the account number. */
const accounts: Readonly<Record<string, AccountBehaviour>> = {
  '9001': refusedAtInquiry('NAME_MISMATCH'),
  '9002': { holder: 'MATCHED', registration: { kind: 'REFUSES', reason: 'LIFETIME_ACCOUNT' } },
  '9003': { holder: 'MATCHED', registration: { kind: 'REFUSES', reason: 'ACCOUNT_RESTRICTED' } },
  '9004': { holder: 'MATCHED', registration: { kind: 'REGISTERS_BUT_ANSWER_IS_LOST' } },
  '9005': { holder: 'MATCHED', registration: { kind: 'SILENT_AT_FIRST', times: 1 } },
  '9006': { holder: 'MATCHED', registration: { kind: 'ACCEPTS' } },
  '9007': { holder: 'MATCHED', registration: { kind: 'UNAVAILABLE_AT_FIRST', times: 2 } },
  '9008': { holder: 'MATCHED', registration: { kind: 'REGISTERS_UNSEEN' } },
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
const phones: Readonly<Record<string, PhoneBehaviour>> = {
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

/** The behaviour of an account. An account number without a row registers. */
export function accountBehaviour(accountNumber: string): AccountBehaviour {
  return accounts[lastFourDigits(accountNumber)] ?? { holder: 'MATCHED', registration: registers };
}

/** The behaviour of a phone. A phone number without a row passes. */
export function phoneBehaviour(phoneNumber: string): PhoneBehaviour {
  return phones[lastFourDigits(phoneNumber)] ?? { conclusion: passes, callbacks: 1 };
}

/** A bank that refuses the inquiry also refuses the registration. */
function refusedAtInquiry(reason: BankRefusal): AccountBehaviour {
  return { holder: reason, registration: { kind: 'REFUSES', reason } };
}

function lastFourDigits(number: string): string {
  return number.replaceAll('-', '').slice(-4);
}
