import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ArsOutcome } from '../../wire/registration-status.ts';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import type {
  PaymentGateway,
  RegistrationAnswer,
  RegistrationInquiryAnswer,
} from '../../payment-gateway/payment-gateway.ts';
import { recordingOf } from '../../development/simulator/recording.ts';
import type { Script, ScriptedAttempt, ScriptedCall } from './script.ts';

const recording = Buffer.from(recordingOf('SCRIPTEDCALL'));

/** What the payment gateway has done for one registration. */
export interface World {
  readonly script: Script;
  /** Phone calls made, by attempt. */
  readonly rings: Map<number, number>;
  readonly ended: Map<number, ArsOutcome>;
  ledgerEntries: number;
  registerCalls: number;
  /** What an inquiry answers. */
  inquiryAnswer: RegistrationInquiryAnswer;
  holderInquiries: number;
  callRequests: number;
  recordingRequests: number;
  /** Work and callbacks that are still pending at the payment gateway. */
  pending: number;
}

/** Sends a callback of the payment gateway to the service; resolves once it is acknowledged. */
export type SendCallback = (callback: object) => Promise<void>;

/** The account and phone number that select the script of a registration. */
export function numbersOf(script: number): { readonly bankAccount: string; readonly mobileNumber: string } {
  const digits = String(script).padStart(6, '0');
  return { bankAccount: `11000${digits}`, mobileNumber: `01000${digits}` };
}

/** A payment gateway that follows each registration's script. It is not idempotent. */
export function createScriptedPaymentGateway(sendCallback: SendCallback) {
  /** By account number, and by phone number. */
  const prepared = new Map<string, World>();
  /** By registration number, from the first call on. */
  const worlds = new Map<string, World>();
  const errors: unknown[] = [];
  const background = (world: World, work: Promise<unknown>): void => {
    world.pending++;
    void work.catch((error: unknown) => errors.push(error)).finally(() => world.pending--);
  };

  const worldOf = (reference: string): World => {
    const known = worlds.get(reference);
    if (!known) throw new Error('There was no call for this registration.');
    return known;
  };

  async function runCall(reference: string, attempt: number, call: ScriptedCall): Promise<void> {
    const callback = { type: 'ARS', reference, attempt, callId: callIdOf(reference, attempt) };
    await delay(call.durationMs);
    worldOf(reference).ended.set(attempt, call.outcome);
    await Promise.all(
      call.callbacks.map(async (after) => {
        await delay(after);
        await sendCallback({ ...callback, ...stateOf(call.outcome) });
      }),
    );
    const other = call.outcome === 'PASSED' ? 'HUNG_UP' : 'PASSED';
    if (call.contradicted && call.callbacks.length > 0)
      await sendCallback({ ...callback, ...stateOf(other) });
  }

  async function decide(reference: string, attempt: ScriptedAttempt & { kind: 'ACCEPTED' }): Promise<void> {
    const { verdict, contradicted } = attempt;
    await delay(attempt.durationMs);
    enter(reference, verdict);
    const callbackOf = (decision: typeof verdict) => ({
      type: 'REGISTRATION',
      reference,
      ...(decision === 'REGISTERED' ? { state: decision } : { state: 'REFUSED', reason: decision }),
    });
    await Promise.all(
      attempt.callbacks.map(async (after) => {
        await delay(after);
        await sendCallback(callbackOf(verdict));
      }),
    );
    if (contradicted && attempt.callbacks.length > 0) {
      await sendCallback(callbackOf(verdict === 'REGISTERED' ? 'ACCOUNT_SEIZED' : 'REGISTERED'));
    }
  }

  async function enterLater(reference: string): Promise<void> {
    await delay(150);
    enter(reference, 'REGISTERED');
  }

  function enter(reference: string, verdict: (ScriptedAttempt & { kind: 'ACCEPTED' })['verdict']): void {
    const entered = worldOf(reference);
    if (verdict !== 'REGISTERED') {
      entered.inquiryAnswer = { state: 'REFUSED', reason: verdict };
      return;
    }
    entered.ledgerEntries++;
    entered.inquiryAnswer = { state: 'REGISTERED' };
  }

  const paymentGateway: Omit<PaymentGateway, 'receiveCallback'> = {
    async inquireAccountHolder({ accountNumber }) {
      const world = prepared.get(accountNumber)!;
      const { unanswered: times, answer } = world.script.holder;
      if (++world.holderInquiries <= times) throw unanswered();
      return answer;
    },

    async placeArsCall({ reference, attempt, phoneNumber }) {
      const world = prepared.get(phoneNumber)!;
      worlds.set(reference, world);
      const { calls } = world.script;
      // An attempt that never arrived is made again under the next number.
      const call = calls[Math.min(world.rings.size, calls.length - 1)]!;
      if (call.placing === 'DOWN' && ++world.callRequests === 1) throw unanswered();
      world.rings.set(attempt, (world.rings.get(attempt) ?? 0) + 1);
      const ending = runCall(reference, attempt, call);
      background(world, ending);
      if (call.placing === 'EARLY') await ending;
      if (call.placing === 'LOST') throw unanswered();
      return { callId: callIdOf(reference, attempt) };
    },

    async inquireArsCall({ reference, attempt }) {
      const { rings, ended } = worlds.get(reference) ?? { rings: new Map(), ended: new Map() };
      if (!rings.has(attempt)) return { state: 'NOT_FOUND' };
      const outcome = ended.get(attempt);
      if (!outcome) return { state: 'IN_PROGRESS' };
      return { state: 'ENDED', callId: callIdOf(reference, attempt), outcome };
    },

    async fetchRecording(callId) {
      const world = worldOf(callId.slice(0, 22));
      const { missing, isPermitted } = world.script.recording;
      if (++world.recordingRequests <= missing) return undefined;
      return isPermitted ? recording : Buffer.from('Not a recording.');
    },

    async register({ reference }, signal): Promise<RegistrationAnswer> {
      const world = worldOf(reference);
      const attempt = world.script.attempts[world.registerCalls++] ?? { kind: 'REGISTERED' };
      if (attempt.kind === 'REFUSED') {
        enter(reference, attempt.reason);
        return { state: 'REFUSED', reason: attempt.reason };
      }
      if (attempt.kind === 'ACCEPTED') {
        world.inquiryAnswer = { state: 'IN_PROGRESS' };
        background(world, decide(reference, attempt));
        return { state: 'ACCEPTED' };
      }
      if (attempt.kind === 'REGISTERED' || attempt.kind === 'LOST') enter(reference, 'REGISTERED');
      if (attempt.kind === 'REGISTERED') return { state: 'REGISTERED' };
      if (attempt.kind === 'SLOW') background(world, enterLater(reference));
      if (attempt.kind === 'HANGS') await once(signal, 'abort');
      throw unanswered();
    },

    async inquireRegistration(reference) {
      const { script, inquiryAnswer } = worldOf(reference);
      if (script.staysUnknown) throw unanswered();
      return inquiryAnswer;
    },

    registerAutoCharge: () => Promise.reject(unanswered()),
    listRegistrations: () => Promise.reject(unanswered()),
    removeRegistration: async () => {},
  };

  return {
    paymentGateway,
    /** Errors of background work. */
    errors,
    /** Sets the script of the registration with the numbers of {@link numbersOf}. */
    prepare(number: number, script: Script): World {
      const world: World = {
        script,
        rings: new Map(),
        ended: new Map(),
        ledgerEntries: 0,
        registerCalls: 0,
        inquiryAnswer: { state: 'NOT_FOUND' },
        holderInquiries: 0,
        callRequests: 0,
        recordingRequests: 0,
        pending: 0,
      };
      const { bankAccount, mobileNumber } = numbersOf(number);
      prepared.set(bankAccount, world);
      prepared.set(mobileNumber, world);
      return world;
    },
  };
}

function callIdOf(reference: string, attempt: number): string {
  return `${reference}-${attempt}`;
}

function stateOf(outcome: ArsOutcome): object {
  return outcome === 'PASSED' ? { state: 'PASSED' } : { state: 'FAILED', outcome };
}

function unanswered(): PaymentGatewayUnavailable {
  return new PaymentGatewayUnavailable('The script gives no answer.');
}
