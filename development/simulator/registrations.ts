import type { Agenda, Plan } from './agenda.ts';
import { delivery } from './callbacks.ts';
import type { Calls } from './calls.ts';
import { accountConduct } from './conduct.ts';
import type { Timings } from './conduct.ts';
import type { LedgerPageRequest, RegistrationRefusalReason, RegistrationRequest } from './protocol.ts';
import { keysUnder } from './store.ts';
import type { LedgerEntry, LedgerKey, Registration, Store, TaskKey } from './store.ts';

/** What becomes of one register request. */
export type RegisterResult =
  | { kind: 'REGISTERED'; answerIsLost: boolean }
  | { kind: 'ACCEPTED' }
  | { kind: 'REFUSED'; reason: RegistrationRefusalReason }
  | { kind: 'UNAVAILABLE' }
  | { kind: 'SILENT' };

/** What the outside is told of a reference. */
export interface RegistrationReport {
  state: 'NOT_FOUND' | 'IN_PROGRESS' | 'REGISTERED' | 'REFUSED' | 'REMOVED';
  reason?: RegistrationRefusalReason;
}

/** A part of the ledger; `nextCursor` is null at its end. */
export interface LedgerPage {
  registrations: (LedgerEntry & { entryId: string })[];
  nextCursor: string | null;
}

/** The payment gateway's registrations and their ledger. */
export interface Registrations {
  /** Registers as the account's conduct has it, once more if the reference is registered already. */
  register(request: RegistrationRequest): Promise<RegisterResult>;
  inquire(reference: string): RegistrationReport;
  /** Removes every live entry of the reference; false if it has never been registered or accepted. */
  remove(reference: string): Promise<boolean>;
  /** Successful registrations, of one member or of all, each with its reference's number of register requests. */
  list(memberId?: string): (LedgerEntry & { registerCalls: number })[];
  /** A page in the order of the ledger's keys, which never change: a walk meets every entry there at its start, once. */
  page(request: LedgerPageRequest): LedgerPage;
  /** Enters an accepted registration and plans its callback. */
  enterAccepted(plan: Plan, key: TaskKey, entry: LedgerEntry, callbackUrl: string): void;
}

export function createRegistrations(
  store: Store,
  agenda: Agenda,
  calls: Calls,
  timings: Timings,
): Registrations {
  function decide(request: RegistrationRequest, registerCalls: number): RegisterResult {
    const conduct = accountConduct(request.accountNumber).registration;
    if (conduct.kind === 'SILENT_AT_FIRST' && registerCalls <= conduct.times) return { kind: 'SILENT' };
    if (conduct.kind === 'UNAVAILABLE_AT_FIRST' && registerCalls <= conduct.times)
      return { kind: 'UNAVAILABLE' };
    const { callId, sha256 } = request.evidence;
    if (!calls.isEvidence(callId, sha256)) return { kind: 'REFUSED', reason: 'EVIDENCE_INVALID' };
    if (conduct.kind === 'REFUSES') return { kind: 'REFUSED', reason: conduct.reason };
    if (conduct.kind === 'ACCEPTS') return { kind: 'ACCEPTED' };
    return { kind: 'REGISTERED', answerIsLost: conduct.kind === 'REGISTERS_BUT_ANSWER_IS_LOST' };
  }

  function find(reference: string): Registration {
    return store.registrations.get(reference) ?? { reference, registerCalls: 0, ledgerKeys: [] };
  }

  function save(registration: Registration): void {
    store.registrations.putSync(registration.reference, registration);
  }

  function enter(registration: Registration, entry: LedgerEntry): void {
    const key: LedgerKey = [entry.memberId, store.ledger.getKeysCount(keysUnder(entry.memberId)) + 1];
    store.ledger.putSync(key, entry);
    const { reference, registerCalls, ledgerKeys } = registration;
    save({ reference, registerCalls, ledgerKeys: [...ledgerKeys, key], state: 'REGISTERED' });
  }

  function record(plan: Plan, request: RegistrationRequest): RegisterResult {
    const before = find(request.reference);
    const registration = { ...before, registerCalls: before.registerCalls + 1 };
    const result = decide(request, registration.registerCalls);
    save(registration);
    if (result.kind === 'REGISTERED') enter(registration, ledgerEntry(request));
    // A request that comes to nothing does not undo what an earlier one achieved.
    if (result.kind === 'REFUSED' && !isLive(before)) {
      save({ ...registration, state: 'REFUSED', reason: result.reason });
    }
    if (result.kind === 'ACCEPTED') {
      if (!isLive(before)) save({ ...registration, state: 'IN_PROGRESS' });
      const at = Date.now() + timings.registrationLasts;
      const key: TaskKey = ['registration', request.reference, registration.registerCalls];
      const { callbackUrl } = request;
      plan.put(key, { kind: 'ENTER_REGISTRATION', entry: ledgerEntry(request), callbackUrl, at });
    }
    return result;
  }

  function removeLive(plan: Plan, reference: string): boolean {
    const registration = find(reference);
    const wasRemoved = registration.state === 'REMOVED' || registration.ledgerKeys.length > 0;
    if (!isLive(registration) && !wasRemoved) return false;
    const pending = [...store.tasks.getKeys(keysUnder('registration', reference))];
    for (const key of pending) plan.drop(key);
    for (const key of registration.ledgerKeys) {
      const entry = store.ledger.get(key);
      if (entry) store.ledger.putSync(key, { ...entry, state: 'REMOVED' });
    }
    save({ ...registration, state: 'REMOVED' });
    return true;
  }

  return {
    register: (request) => agenda.commit((plan) => record(plan, request)),
    inquire(reference) {
      const { state, reason } = find(reference);
      if (!state) return { state: 'NOT_FOUND' };
      return state === 'REFUSED' && reason ? { state, reason } : { state };
    },
    remove: (reference) => agenda.commit((plan) => removeLive(plan, reference)),
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
    enterAccepted(plan, key, entry, callbackUrl) {
      const { reference } = entry;
      plan.drop(key);
      enter(find(reference), entry);
      const body = { type: 'REGISTRATION', reference, state: 'REGISTERED' } as const;
      plan.put(['registration-callback', reference, key[2]], delivery(callbackUrl, body, Date.now()));
    },
  };
}

function isLive(registration: Registration): boolean {
  return registration.state === 'REGISTERED' || registration.state === 'IN_PROGRESS';
}

function ledgerEntry(request: RegistrationRequest): LedgerEntry {
  const { reference, memberId, bankCode, accountNumber } = request;
  return { reference, memberId, bankCode, accountNumber, state: 'REGISTERED' };
}

function ledgerKey(entryId: string): LedgerKey {
  const [memberId = '', number] = entryId.split(':');
  return [memberId, Number(number)];
}
