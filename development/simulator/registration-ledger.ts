import type { TaskScheduler, TaskChanges } from './task-scheduler.ts';
import { delivery } from './callback-delivery.ts';
import type { Calls } from './calls.ts';
import { accountBehaviour } from './behaviour.ts';
import type { Timings } from './behaviour.ts';
import type { LedgerQuery, RegisterRequest, RegistrationRefusal } from './protocol.ts';
import { keysUnder } from './store.ts';
import type { LedgerKey, Registration, RegistrationRecord, Store, TaskKey } from './store.ts';

/** The result of one register request. */
export type RegisterResult =
  | { kind: 'REGISTERED'; answerIsLost: boolean }
  | { kind: 'ACCEPTED' }
  | { kind: 'REFUSED'; reason: RegistrationRefusal }
  | { kind: 'UNAVAILABLE' }
  | { kind: 'SILENT' };

/** What the registration inquiry responds. */
export interface RegistrationReport {
  state: 'NOT_FOUND' | 'IN_PROGRESS' | 'REGISTERED' | 'REFUSED' | 'REMOVED';
  reason?: RegistrationRefusal;
}

/** A page of the ledger. `nextCursor` is null on the last one. */
export interface RegistrationRecordPage {
  registrations: (RegistrationRecord & { entryId: string })[];
  nextCursor: string | null;
}

/** The payment gateway's registrations and their ledger. */
export interface RegistrationLedger {
  /** Registers as the account's behaviour requires. Not idempotent: a registered reference is registered again. */
  register(request: RegisterRequest): Promise<RegisterResult>;
  inquire(reference: string): RegistrationReport;
  /** Removes every active entry of the reference. False if it was never registered or accepted. */
  remove(reference: string): Promise<boolean>;
  /** Successful registrations of one member or of all, each with the number of register requests of its reference. */
  list(memberId?: string): (RegistrationRecord & { registerCalls: number })[];
  /** A page in key order. Keys never change, so reading all pages returns each entry present at the start exactly once. */
  page(request: LedgerQuery): RegistrationRecordPage;
  /** Enters an accepted registration and schedules its callback. */
  enterAccepted(tasks: TaskChanges, key: TaskKey, entry: RegistrationRecord, callbackUrl: string): void;
}

export function createRegistrationLedger(
  store: Store,
  scheduler: TaskScheduler,
  calls: Calls,
  timings: Timings,
): RegistrationLedger {
  function decide(request: RegisterRequest, registerCalls: number): RegisterResult {
    const behaviour = accountBehaviour(request.accountNumber).registration;
    if (behaviour.kind === 'SILENT_AT_FIRST' && registerCalls <= behaviour.times) return { kind: 'SILENT' };
    if (behaviour.kind === 'UNAVAILABLE_AT_FIRST' && registerCalls <= behaviour.times)
      return { kind: 'UNAVAILABLE' };
    const { callId, sha256 } = request.evidence;
    if (!calls.isEvidence(callId, sha256)) return { kind: 'REFUSED', reason: 'EVIDENCE_INVALID' };
    if (behaviour.kind === 'REFUSES') return { kind: 'REFUSED', reason: behaviour.reason };
    if (behaviour.kind === 'ACCEPTS') return { kind: 'ACCEPTED' };
    const isUnseen = behaviour.kind === 'REGISTERS_UNSEEN';
    return {
      kind: 'REGISTERED',
      answerIsLost: isUnseen || behaviour.kind === 'REGISTERS_BUT_ANSWER_IS_LOST',
    };
  }

  function find(reference: string): Registration {
    return store.registrations.get(reference) ?? { reference, registerCalls: 0, ledgerKeys: [] };
  }

  function save(registration: Registration): void {
    store.registrations.putSync(registration.reference, registration);
  }

  function enter(registration: Registration, entry: RegistrationRecord): void {
    const key: LedgerKey = [entry.memberId, store.ledger.getKeysCount(keysUnder(entry.memberId)) + 1];
    store.ledger.putSync(key, entry);
    const { reference, registerCalls, ledgerKeys } = registration;
    save({ reference, registerCalls, ledgerKeys: [...ledgerKeys, key], state: 'REGISTERED' });
  }

  function record(tasks: TaskChanges, request: RegisterRequest): RegisterResult {
    const before = find(request.reference);
    const registration = { ...before, registerCalls: before.registerCalls + 1 };
    const result = decide(request, registration.registerCalls);
    save(registration);
    if (result.kind === 'REGISTERED') {
      enter(registration, recordOf(request));
      const isUnseen = accountBehaviour(request.accountNumber).registration.kind === 'REGISTERS_UNSEEN';
      if (isUnseen) save({ ...find(request.reference), unseenUntil: Date.now() + timings.unseenForMs });
    }
    // A refused request does not undo an earlier success.
    if (result.kind === 'REFUSED' && !isActive(before)) {
      save({ ...registration, state: 'REFUSED', reason: result.reason });
    }
    if (result.kind === 'ACCEPTED') {
      if (!isActive(before)) save({ ...registration, state: 'IN_PROGRESS' });
      const at = Date.now() + timings.registrationDurationMs;
      const key: TaskKey = ['registration', request.reference, registration.registerCalls];
      const { callbackUrl } = request;
      tasks.schedule(key, { kind: 'ENTER_REGISTRATION', entry: recordOf(request), callbackUrl, at });
    }
    return result;
  }

  function removeActive(tasks: TaskChanges, reference: string): boolean {
    const registration = find(reference);
    const wasRemoved = registration.state === 'REMOVED' || registration.ledgerKeys.length > 0;
    if (!isActive(registration) && !wasRemoved) return false;
    const pending = [...store.tasks.getKeys(keysUnder('registration', reference))];
    for (const key of pending) tasks.remove(key);
    for (const key of registration.ledgerKeys) {
      const entry = store.ledger.get(key);
      if (entry) store.ledger.putSync(key, { ...entry, state: 'REMOVED' });
    }
    save({ ...registration, state: 'REMOVED' });
    return true;
  }

  return {
    register: (request) => scheduler.commit((tasks) => record(tasks, request)),
    inquire(reference) {
      const { state, reason, unseenUntil = 0 } = find(reference);
      if (!state || Date.now() < unseenUntil) return { state: 'NOT_FOUND' };
      return state === 'REFUSED' && reason ? { state, reason } : { state };
    },
    remove: (reference) => scheduler.commit((tasks) => removeActive(tasks, reference)),
    list(memberId) {
      const entries = [...store.ledger.getRange(memberId === undefined ? {} : keysUnder(memberId))];
      return entries.map(({ value }) => ({ ...value, registerCalls: find(value.reference).registerCalls }));
    },
    page({ cursor, limit }) {
      const range = store.ledger.getRange({ ...(cursor && { start: ledgerKey(cursor) }), limit: limit + 1 });
      const entries = [...range].map(({ key, value }) => ({ entryId: key.join(':'), ...value }));
      const [next] = entries.splice(limit);
      return { registrations: entries, nextCursor: next?.entryId ?? null };
    },
    enterAccepted(tasks, key, entry, callbackUrl) {
      const { reference } = entry;
      tasks.remove(key);
      enter(find(reference), entry);
      const body = { type: 'REGISTRATION', reference, state: 'REGISTERED' } as const;
      tasks.schedule(['registration-callback', reference, key[2]], delivery(callbackUrl, body, Date.now()));
    },
  };
}

function isActive(registration: Registration): boolean {
  return registration.state === 'REGISTERED' || registration.state === 'IN_PROGRESS';
}

function recordOf(request: RegisterRequest): RegistrationRecord {
  const { reference, memberId, bankCode, accountNumber, evidence } = request;
  const account = { reference, memberId, bankCode, accountNumber };
  return { ...account, evidenceSha256: evidence.sha256, state: 'REGISTERED' };
}

function ledgerKey(entryId: string): LedgerKey {
  const [memberId = '', number] = entryId.split(':');
  return [memberId, Number(number)];
}
