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

/** What has happened at the payment gateway to one registration. */
export interface World {
  readonly script: Script;
  /** Phone calls made, by attempt. */
  readonly rings: Map<number, number>;
  readonly ended: Map<number, ArsOutcome>;
  ledgerEntries: number;
  registerCalls: number;
  /** What the inquiry knows. */
  standing: RegistrationInquiryAnswer;
  holderQuestions: number;
  orders: number;
  recordingQuestions: number;
  /** What the payment gateway still has to do or to tell. */
  underWay: number;
}

/** Tells the service something, as the payment gateway's callback; answers once it has taken it. */
export type Tell = (callback: object) => Promise<void>;

/** The account and phone number by which a registration has its own script. */
export function numbersOf(script: number): { readonly bankAccount: string; readonly mobileNumber: string } {
  const digits = String(script).padStart(6, '0');
  return { bankAccount: `11000${digits}`, mobileNumber: `01000${digits}` };
}

/** A payment gateway that treats each registration as its script says, and is not idempotent. */
export function createScriptedPaymentGateway(tell: Tell) {
  /** By account number, and by phone number. */
  const prepared = new Map<string, World>();
  /** By registration number, from the first call on. */
  const worlds = new Map<string, World>();
  const errors: unknown[] = [];
  const background = (asked: World, work: Promise<unknown>): void => {
    asked.underWay++;
    void work.catch((error: unknown) => errors.push(error)).finally(() => asked.underWay--);
  };

  const worldOf = (reference: string): World => {
    const known = worlds.get(reference);
    if (!known) throw new Error('It was asked about a registration without a call.');
    return known;
  };

  async function conduct(reference: string, attempt: number, call: ScriptedCall): Promise<void> {
    const told = { type: 'ARS', reference, attempt, callId: callIdOf(reference, attempt) };
    await delay(call.lasts);
    worldOf(reference).ended.set(attempt, call.outcome);
    await Promise.all(
      call.callbacks.map(async (after) => {
        await delay(after);
        await tell({ ...told, ...stateOf(call.outcome) });
      }),
    );
    const other = call.outcome === 'PASSED' ? 'HUNG_UP' : 'PASSED';
    if (call.contradicted && call.callbacks.length > 0) await tell({ ...told, ...stateOf(other) });
  }

  async function decide(reference: string, attempt: ScriptedAttempt & { kind: 'ACCEPTED' }): Promise<void> {
    const { verdict, contradicted } = attempt;
    await delay(attempt.lasts);
    enter(reference, verdict);
    const told = (decision: typeof verdict) => ({
      type: 'REGISTRATION',
      reference,
      ...(decision === 'REGISTERED' ? { state: decision } : { state: 'REFUSED', reason: decision }),
    });
    await Promise.all(
      attempt.callbacks.map(async (after) => {
        await delay(after);
        await tell(told(verdict));
      }),
    );
    if (contradicted && attempt.callbacks.length > 0) {
      await tell(told(verdict === 'REGISTERED' ? 'ACCOUNT_SEIZED' : 'REGISTERED'));
    }
  }

  async function enterLater(reference: string): Promise<void> {
    await delay(150);
    enter(reference, 'REGISTERED');
  }

  function enter(reference: string, verdict: (ScriptedAttempt & { kind: 'ACCEPTED' })['verdict']): void {
    const entered = worldOf(reference);
    if (verdict !== 'REGISTERED') {
      entered.standing = { state: 'REFUSED', reason: verdict };
      return;
    }
    entered.ledgerEntries++;
    entered.standing = { state: 'REGISTERED' };
  }

  const paymentGateway: Omit<PaymentGateway, 'receiveCallback'> = {
    async inquireAccountHolder({ accountNumber }) {
      const asked = prepared.get(accountNumber)!;
      const { unanswered: times, answer } = asked.script.holder;
      if (++asked.holderQuestions <= times) throw unanswered();
      return answer;
    },

    async placeArsCall({ reference, attempt, phoneNumber }) {
      const asked = prepared.get(phoneNumber)!;
      worlds.set(reference, asked);
      const { calls } = asked.script;
      const call = calls[Math.min(attempt, calls.length) - 1]!;
      if (call.placing === 'DOWN' && ++asked.orders === 1) throw unanswered();
      asked.rings.set(attempt, (asked.rings.get(attempt) ?? 0) + 1);
      const ending = conduct(reference, attempt, call);
      background(asked, ending);
      if (call.placing === 'EARLY') await ending;
      if (call.placing === 'LOST') throw unanswered();
    },

    async inquireArsCall({ reference, attempt }) {
      const { rings, ended } = worlds.get(reference) ?? { rings: new Map(), ended: new Map() };
      if (!rings.has(attempt)) return { state: 'NOT_FOUND' };
      const outcome = ended.get(attempt);
      if (!outcome) return { state: 'IN_PROGRESS' };
      return { state: 'ENDED', callId: callIdOf(reference, attempt), outcome };
    },

    async fetchRecording(callId) {
      const asked = worldOf(callId.slice(0, 22));
      const { missing, isPermitted } = asked.script.recording;
      if (++asked.recordingQuestions <= missing) return undefined;
      return isPermitted ? recording : Buffer.from('This is no recording.');
    },

    async register({ reference }, signal): Promise<RegistrationAnswer> {
      const asked = worldOf(reference);
      const attempt = asked.script.attempts[asked.registerCalls++] ?? { kind: 'REGISTERED' };
      if (attempt.kind === 'REFUSED') {
        enter(reference, attempt.reason);
        return { state: 'REFUSED', reason: attempt.reason };
      }
      if (attempt.kind === 'ACCEPTED') {
        asked.standing = { state: 'IN_PROGRESS' };
        background(asked, decide(reference, attempt));
        return { state: 'ACCEPTED' };
      }
      if (attempt.kind === 'REGISTERED' || attempt.kind === 'LOST') enter(reference, 'REGISTERED');
      if (attempt.kind === 'REGISTERED') return { state: 'REGISTERED' };
      if (attempt.kind === 'SLOW') background(asked, enterLater(reference));
      if (attempt.kind === 'HANGS') await once(signal, 'abort');
      throw unanswered();
    },

    async inquireRegistration(reference) {
      const { script, standing } = worldOf(reference);
      if (script.staysUnknown) throw unanswered();
      return standing;
    },

    registerAutoCharge: () => Promise.reject(unanswered()),
    listRegistrations: () => Promise.reject(unanswered()),
    removeRegistration: async () => {},
  };

  return {
    paymentGateway,
    /** Errors of what goes on in the background. */
    errors,
    /** Chooses what happens to the registration with the numbers of {@link numbersOf}. */
    prepare(number: number, script: Script): World {
      const world: World = {
        script,
        rings: new Map(),
        ended: new Map(),
        ledgerEntries: 0,
        registerCalls: 0,
        standing: { state: 'NOT_FOUND' },
        holderQuestions: 0,
        orders: 0,
        recordingQuestions: 0,
        underWay: 0,
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
  return new PaymentGatewayUnavailable('No answer, says the script.');
}
