import { randomInt } from 'node:crypto';
import type { TaskScheduler, TaskChanges } from './task-scheduler.ts';
import { delivery } from './callback-delivery.ts';
import { phoneBehaviour } from './behaviour.ts';
import type { PhoneBehaviour, Timings } from './behaviour.ts';
import type { CallConclusion, CallRequest } from './protocol.ts';
import { recordingDigest, recordingOf, recordingSeconds } from './recording.ts';
import { keysUnder } from './store.ts';
import type { Call, Store, TaskKey } from './store.ts';

/** Interval between the copies of a callback that is sent several times, in ms. */
const copyIntervalMs = 50;

/** What the call inquiry responds. */
export interface CallReport {
  state: 'NOT_FOUND' | 'IN_PROGRESS' | CallConclusion['state'];
  callId?: string;
  outcome?: string;
  recordingSeconds?: number;
}

/** What a person does to a ringing or answered phone. */
export type PhoneAction = 'ANSWER' | 'DECLINE' | 'HANG_UP' | { code: string };

/** The ARS: calls phones and records how the calls ended. */
export interface Calls {
  /** Calls the phone and returns the call ID. Not idempotent: a repeated request makes another call. */
  ring(request: CallRequest): Promise<string>;
  /** The latest call for the reference and attempt. */
  inquire(reference: string, attempt: number): CallReport;
  /** The recording; undefined unless the call passed and its recording exists. */
  recording(callId: string): Uint8Array<ArrayBuffer> | undefined;
  /** Whether the call passed and `sha256` is its recording's digest. For a missing recording any digest is accepted. */
  isEvidence(callId: string, sha256: string): boolean;
  /** All calls, or those of one reference in chronological order. */
  list(reference?: string): Call[];
  /** Calls that a person can act on now, oldest first, each with the time at which it times out (Unix ms). */
  atPhonePage(): (Call & { expiresAt: number })[];
  /** Performs a person's action. Returns undefined for an unknown call, 'CONFLICT' if its state does not allow the action. */
  act(callId: string, action: PhoneAction): Promise<Call | 'CONFLICT' | undefined>;
  /** Ends a call in progress and schedules its callbacks. */
  conclude(tasks: TaskChanges, call: Call, conclusion: CallConclusion): Call;
}

export function createCalls(store: Store, scheduler: TaskScheduler, timings: Timings): Calls {
  function begin(tasks: TaskChanges, request: CallRequest, callId: string, behaviour: PhoneBehaviour): void {
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
    if (behaviour.conclusion === 'BY_PERSON') {
      scheduleTimeout(tasks, callId, startedAt + timings.ringTimeoutMs, {
        state: 'FAILED',
        outcome: 'NO_ANSWER',
      });
      return;
    }
    const isFirst = earlierCalls === 0 && attempt === 1;
    const conclusion = (isFirst && behaviour.firstConclusion) || behaviour.conclusion;
    const at = startedAt + (behaviour.callbackBeforeAnswer ? 0 : timings.callDurationMs);
    tasks.schedule(['call', callId, 0], { kind: 'CONCLUDE_CALL', callId, conclusion, at });
  }

  function conclude(tasks: TaskChanges, call: Call, conclusion: CallConclusion): Call {
    const ended: Call = { ...call, ...conclusion };
    store.calls.putSync(call.callId, ended);
    tasks.remove(['call', call.callId, 0]);
    tasks.remove(phoneKey(call.callId));
    if (conclusion.state === 'NO_OUTCOME') return ended;
    const { reference, attempt, callId } = call;
    const result = conclusion.state === 'PASSED' ? { ...conclusion, recordingSeconds } : conclusion;
    const { callbacks } = phoneBehaviour(call.phoneNumber);
    for (let copy = 1; copy <= callbacks; copy++) {
      const body = { type: 'ARS', reference, attempt, callId, ...result } as const;
      tasks.schedule(
        callbackKey(callId, copy),
        delivery(call.callbackUrl, body, Date.now() + (copy - 1) * copyIntervalMs),
      );
    }
    return ended;
  }

  function perform(tasks: TaskChanges, call: Call, action: PhoneAction): Call | 'CONFLICT' {
    const expected = action === 'ANSWER' || action === 'DECLINE' ? 'RINGING' : 'ANSWERED';
    if (call.state !== expected || !store.tasks.doesExist(phoneKey(call.callId))) return 'CONFLICT';
    if (action === 'ANSWER') return answer(tasks, call);
    if (action === 'DECLINE') return conclude(tasks, call, { state: 'FAILED', outcome: 'REJECTED' });
    if (action === 'HANG_UP') return conclude(tasks, call, { state: 'FAILED', outcome: 'HUNG_UP' });
    if (action.code === call.code) return conclude(tasks, call, { state: 'PASSED' });
    return conclude(tasks, call, { state: 'FAILED', outcome: 'WRONG_CODE' });
  }

  function answer(tasks: TaskChanges, call: Call): Call {
    const answered: Call = { ...call, state: 'ANSWERED' };
    store.calls.putSync(call.callId, answered);
    scheduleTimeout(tasks, call.callId, Date.now() + timings.codeTimeoutMs, {
      state: 'FAILED',
      outcome: 'NO_INPUT',
    });
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
      const behaviour = phoneBehaviour(request.phoneNumber);
      const acknowledged = behaviour.callbackBeforeAnswer && scheduler.finished(callbackKey(callId, 1));
      await scheduler.commit((tasks) => begin(tasks, request, callId, behaviour));
      await acknowledged;
      return callId;
    },
    inquire(reference, attempt) {
      const call = callsOf(reference).findLast((candidate) => candidate.attempt === attempt);
      return call ? report(call) : { state: 'NOT_FOUND' };
    },
    recording(callId) {
      const call = passedCall(callId);
      return call && !phoneBehaviour(call.phoneNumber).recordingIsLost ? recordingOf(callId) : undefined;
    },
    isEvidence(callId, sha256) {
      const call = passedCall(callId);
      if (!call) return false;
      return phoneBehaviour(call.phoneNumber).recordingIsLost ?? recordingDigest(callId) === sha256;
    },
    list(reference) {
      if (reference !== undefined) return callsOf(reference);
      return [...store.calls.getRange()].map(({ value }) => value);
    },
    atPhonePage() {
      return [...store.tasks.getRange({ start: ['phone'], end: ['phone', '\uffff'] })]
        .flatMap(({ key, value }) => {
          const call = store.calls.get(key[1]);
          return call ? { ...call, expiresAt: value.at } : [];
        })
        .toSorted((one, other) => one.startedAt - other.startedAt);
    },
    act(callId, action) {
      return scheduler.commit((tasks) => {
        const call = store.calls.get(callId);
        return call && perform(tasks, call, action);
      });
    },
    conclude,
  };
}

/** The inquiry's view of a call. */
function report(call: Call): CallReport {
  const { callId } = call;
  if (call.state === 'PASSED') return { state: 'PASSED', callId, recordingSeconds };
  return { state: publicState(call), callId, ...(call.outcome && { outcome: call.outcome }) };
}

/** The state of a call in the protocol. */
export function publicState(call: Call): 'IN_PROGRESS' | CallConclusion['state'] {
  return call.state === 'RINGING' || call.state === 'ANSWERED' ? 'IN_PROGRESS' : call.state;
}

function scheduleTimeout(tasks: TaskChanges, callId: string, at: number, conclusion: CallConclusion): void {
  tasks.schedule(phoneKey(callId), { kind: 'CONCLUDE_CALL', callId, conclusion, at });
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
