import type { RegistrationOutcome } from '../../contract/registration.ts';
import type { ArsOutcome } from '../../wire/registration-status.ts';
import { resultCodeOfRefusal } from '../../contract/refusal-reasons.ts';
import type { RefusalReason } from '../../contract/refusal-reasons.ts';
import type { Script } from './script.ts';

/** The required end of a script that nobody cancels, whatever the order of events. */
export interface Expectation {
  readonly result: RegistrationOutcome;
  /** The outcomes of the calls, in order. */
  readonly calls: readonly ArsOutcome[];
  /** The number of requests to register. */
  readonly attempts: number;
  readonly isRegistered: boolean;
}

const calledAgainAfter: readonly ArsOutcome[] = ['NO_ANSWER', 'BUSY', 'CARRIER_ERROR'];
const maxCalls = 2;

/** The rules of a registration, without a clock. */
export function expectationOf(script: Script): Expectation {
  const nothing = { attempts: 0, isRegistered: false };
  const { answer } = script.holder;
  if (answer !== 'MATCHED') return { result: failed(answer), calls: [], ...nothing };

  const calls: ArsOutcome[] = [];
  do {
    calls.push(script.calls[Math.min(calls.length, script.calls.length - 1)]!.outcome);
  } while (calledAgainAfter.includes(calls.at(-1)!) && calls.length < maxCalls);
  if (calls.at(-1) !== 'PASSED') {
    return { result: { status: 'ARS_AUTH_FAILED', resultCode: '002_014' }, calls, ...nothing };
  }
  if (!script.recording.isPermitted) {
    return { result: { status: 'BANK_ACC_REG_FAILED', resultCode: '002_910' }, calls, ...nothing };
  }
  return { calls, ...registrationOf(script) };
}

function registrationOf({ attempts, staysUnknown }: Script): Omit<Expectation, 'calls'> {
  for (let made = 1; ; made++) {
    const attempt = attempts[made - 1] ?? { kind: 'REGISTERED' };
    switch (attempt.kind) {
      case 'REGISTERED':
      case 'LOST':
      case 'SLOW':
        // At the latest, an operator reports it as registered.
        return { result: registered, attempts: made, isRegistered: true };
      case 'REFUSED':
        return { result: failed(attempt.reason), attempts: made, isRegistered: false };
      case 'ACCEPTED': {
        if (attempt.verdict === 'REGISTERED') {
          return { result: registered, attempts: made, isRegistered: true };
        }
        const isReported = attempt.callbacks.length > 0 || !staysUnknown;
        return {
          result: isReported ? failed(attempt.verdict) : notFound,
          attempts: made,
          isRegistered: false,
        };
      }
      case 'DOWN':
      case 'HANGS':
        // Without an answer to the inquiry it is never repeated, and an operator finds no registration.
        if (staysUnknown) return { result: notFound, attempts: made, isRegistered: false };
    }
  }
}

const registered: RegistrationOutcome = { status: 'BANK_ACC_REGISTERED', resultCode: '000_000' };
const notFound: RegistrationOutcome = { status: 'BANK_ACC_REG_FAILED', resultCode: '002_912' };

function failed(reason: RefusalReason): RegistrationOutcome {
  return { status: 'BANK_ACC_REG_FAILED', resultCode: resultCodeOfRefusal[reason] };
}
