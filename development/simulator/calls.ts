import { randomInt } from 'node:crypto';
import type { Agenda, Plan } from './agenda.ts';
import { delivery } from './callbacks.ts';
import { phoneConduct } from './conduct.ts';
import type { PhoneConduct, Timings } from './conduct.ts';
import type { CallConclusion, CallRequest } from './protocol.ts';
import { recordingDigest, recordingOf, recordingSeconds } from './recording.ts';
import { keysUnder } from './store.ts';
import type { Call, Store, TaskKey } from './store.ts';

/** Milliseconds between the copies of a callback that is sent several times. */
const copiesApart = 50;

/** What the outside is told of a call. */
export interface CallReport {
  state: 'NOT_FOUND' | 'IN_PROGRESS' | CallConclusion['state'];
  callId?: string;
  outcome?: string;
  recordingSeconds?: number;
}

/** What a person does to a ringing or answered phone. */
export type PhoneAction = 'ANSWER' | 'DECLINE' | 'HANG_UP' | { code: string };

/** The ARS: rings phones and remembers how the calls ended. */
export interface Calls {
  /** Rings the phone, again if it has been rung before; returns the new call id. */
  ring(request: CallRequest): Promise<string>;
  /** Tells of the latest call made for the reference and attempt. */
  inquire(reference: string, attempt: number): CallReport;
  /** The recording, if the call passed and it is not lost. */
  recording(callId: string): Uint8Array<ArrayBuffer> | undefined;
  /** Whether `sha256` is the digest of the recording of a call that passed; any digest is, of a lost recording. */
  isEvidence(callId: string, sha256: string): boolean;
  /** All calls, or those of one reference in the order they were made. */
  list(reference?: string): Call[];
  /** Calls a person can act on now, oldest first, and when each will be given up (unix milliseconds). */
  atPhonePage(): (Call & { givenUpAt: number })[];
  /** Carries out what a person did; returns undefined for an unknown call, 'CONFLICT' if it came too late or too early. */
  act(callId: string, action: PhoneAction): Promise<Call | 'CONFLICT' | undefined>;
  /** Ends a call that is still in progress and plans its callbacks. */
  conclude(plan: Plan, call: Call, conclusion: CallConclusion): Call;
}

export function createCalls(store: Store, agenda: Agenda, timings: Timings): Calls {
  function begin(plan: Plan, request: CallRequest, callId: string, conduct: PhoneConduct): void {
    const { reference, attempt, phoneNumber, code, callbackUrl } = request;
    const startedAt = Date.now();
    const earlierCalls = store.callOrder.getKeysCount(keysUnder(reference));
    const call: Call = {
      callId,
      reference,
      attempt,
      phoneNumber,
      code,
      callbackUrl,
      state: 'RINGING',
      startedAt,
    };
    store.calls.putSync(callId, call);
    store.callOrder.putSync([reference, earlierCalls + 1], callId);
    if (conduct.conclusion === 'BY_PERSON') {
      planPhone(plan, callId, startedAt + timings.phoneRings, { state: 'FAILED', outcome: 'NO_ANSWER' });
      return;
    }
    const isFirst = earlierCalls === 0 && attempt === 1;
    const conclusion = (isFirst && conduct.firstConclusion) || conduct.conclusion;
    const at = startedAt + (conduct.callbackBeforeAnswer ? 0 : timings.callLasts);
    plan.put(['call', callId, 0], { kind: 'CONCLUDE_CALL', callId, conclusion, at });
  }

  function conclude(plan: Plan, call: Call, conclusion: CallConclusion): Call {
    const ended: Call = { ...call, ...conclusion };
    store.calls.putSync(call.callId, ended);
    plan.drop(['call', call.callId, 0]);
    plan.drop(phoneKey(call.callId));
    if (conclusion.state === 'NO_OUTCOME') return ended;
    const { reference, attempt, callId } = call;
    const result = conclusion.state === 'PASSED' ? { ...conclusion, recordingSeconds } : conclusion;
    const { callbacks } = phoneConduct(call.phoneNumber);
    for (let copy = 1; copy <= callbacks; copy++) {
      const body = { type: 'ARS', reference, attempt, callId, ...result } as const;
      plan.put(
        callbackKey(callId, copy),
        delivery(call.callbackUrl, body, Date.now() + (copy - 1) * copiesApart),
      );
    }
    return ended;
  }

  function perform(plan: Plan, call: Call, action: PhoneAction): Call | 'CONFLICT' {
    const expected = action === 'ANSWER' || action === 'DECLINE' ? 'RINGING' : 'ANSWERED';
    if (call.state !== expected || !store.tasks.doesExist(phoneKey(call.callId))) return 'CONFLICT';
    if (action === 'ANSWER') return answer(plan, call);
    if (action === 'DECLINE') return conclude(plan, call, { state: 'FAILED', outcome: 'REJECTED' });
    if (action === 'HANG_UP') return conclude(plan, call, { state: 'FAILED', outcome: 'HUNG_UP' });
    if (action.code === call.code) return conclude(plan, call, { state: 'PASSED' });
    return conclude(plan, call, { state: 'FAILED', outcome: 'WRONG_CODE' });
  }

  function answer(plan: Plan, call: Call): Call {
    const answered: Call = { ...call, state: 'ANSWERED' };
    store.calls.putSync(call.callId, answered);
    planPhone(plan, call.callId, Date.now() + timings.codeAwaited, { state: 'FAILED', outcome: 'NO_INPUT' });
    return answered;
  }

  function callsOf(reference: string): Call[] {
    return [...store.callOrder.getRange(keysUnder(reference))].flatMap(
      ({ value }) => store.calls.get(value) ?? [],
    );
  }

  function passedCall(callId: string): Call | undefined {
    const call = store.calls.get(callId);
    return call?.state === 'PASSED' ? call : undefined;
  }

  return {
    async ring(request) {
      const callId = newCallId();
      const conduct = phoneConduct(request.phoneNumber);
      const acknowledged = conduct.callbackBeforeAnswer && agenda.dropped(callbackKey(callId, 1));
      await agenda.commit((plan) => begin(plan, request, callId, conduct));
      await acknowledged;
      return callId;
    },
    inquire(reference, attempt) {
      const call = callsOf(reference).findLast((candidate) => candidate.attempt === attempt);
      return call ? report(call) : { state: 'NOT_FOUND' };
    },
    recording(callId) {
      const call = passedCall(callId);
      return call && !phoneConduct(call.phoneNumber).recordingIsLost ? recordingOf(callId) : undefined;
    },
    isEvidence(callId, sha256) {
      const call = passedCall(callId);
      if (!call) return false;
      return phoneConduct(call.phoneNumber).recordingIsLost ?? recordingDigest(callId) === sha256;
    },
    list(reference) {
      if (reference !== undefined) return callsOf(reference);
      return [...store.calls.getRange()].map(({ value }) => value);
    },
    atPhonePage() {
      return [...store.tasks.getRange({ start: ['phone'], end: ['phone', '\uffff'] })]
        .flatMap(({ key, value }) => {
          const call = store.calls.get(key[1]);
          return call ? { ...call, givenUpAt: value.at } : [];
        })
        .toSorted((one, other) => one.startedAt - other.startedAt);
    },
    act(callId, action) {
      return agenda.commit((plan) => {
        const call = store.calls.get(callId);
        return call && perform(plan, call, action);
      });
    },
    conclude,
  };
}

/** What may be told of a call, for the inquiry. */
function report(call: Call): CallReport {
  const { callId } = call;
  if (call.state === 'PASSED') return { state: 'PASSED', callId, recordingSeconds };
  return { state: publicState(call), callId, ...(call.outcome && { outcome: call.outcome }) };
}

/** The state of a call as the protocol knows it. */
export function publicState(call: Call): 'IN_PROGRESS' | CallConclusion['state'] {
  return call.state === 'RINGING' || call.state === 'ANSWERED' ? 'IN_PROGRESS' : call.state;
}

function planPhone(plan: Plan, callId: string, at: number, conclusion: CallConclusion): void {
  plan.put(phoneKey(callId), { kind: 'CONCLUDE_CALL', callId, conclusion, at });
}

function newCallId(): string {
  return Array.from({ length: 12 }, () => randomInt(36).toString(36).toUpperCase()).join('');
}

function phoneKey(callId: string): TaskKey {
  return ['phone', callId, 0];
}

function callbackKey(callId: string, copy: number): TaskKey {
  return ['call-callback', callId, copy];
}
