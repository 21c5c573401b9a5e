import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import type { Database } from 'lmdb';
import type { CallConclusion, CallOutcome, RegistrationRefusalReason } from './protocol.ts';

/** One time a phone was rung. */
export interface Call {
  callId: string;
  reference: string;
  attempt: number;
  phoneNumber: string;
  code: string;
  callbackUrl: string;
  /** RINGING and ANSWERED are told to the outside as IN_PROGRESS. */
  state: 'RINGING' | 'ANSWERED' | CallConclusion['state'];
  outcome?: CallOutcome;
  /** Unix milliseconds. */
  startedAt: number;
}

/** What the gateway knows of one reference. */
export interface Registration {
  reference: string;
  /** Absent while no request has reached the bank. */
  state?: 'IN_PROGRESS' | 'REGISTERED' | 'REFUSED' | 'REMOVED';
  reason?: RegistrationRefusalReason;
  /** Register requests received, whatever became of them. */
  registerCalls: number;
  ledgerKeys: LedgerKey[];
}

/** One successful registration; a reference registered twice has two. */
export interface LedgerEntry {
  reference: string;
  memberId: string;
  bankCode: string;
  accountNumber: string;
  state: 'REGISTERED' | 'REMOVED';
}

/** Member, then the number of the entry among that member's. */
export type LedgerKey = [memberId: string, number: number];

/** Something to do at `at` (unix milliseconds), once. */
export type Task = { at: number } & (
  | { kind: 'CONCLUDE_CALL'; callId: string; conclusion: CallConclusion }
  | { kind: 'ENTER_REGISTRATION'; entry: LedgerEntry; callbackUrl: string }
  | { kind: 'DELIVER_CALLBACK'; url: string; body: string; failures: number }
);

/** Names a task: what it is about first, then which one. */
export type TaskKey = [
  about: 'call' | 'call-callback' | 'phone' | 'registration' | 'registration-callback',
  id: string,
  number: number,
];

/** Everything the simulator remembers. Reads are synchronous; writes belong inside `transaction`. */
export interface Store {
  /** By call id. */
  calls: Database<Call, string>;
  /** Call ids in the order in which a reference's calls were made, counted from 1. */
  callOrder: Database<string, [reference: string, number: number]>;
  /** By reference. */
  registrations: Database<Registration, string>;
  ledger: Database<LedgerEntry, LedgerKey>;
  tasks: Database<Task, TaskKey>;
  /** Runs `work` atomically; resolves once it is on disk. */
  transaction<T>(work: () => T): Promise<T>;
  close(): Promise<void>;
}

/** Opens the store in `directory`, which is made if need be. */
export function openStore(directory: string): Store {
  mkdirSync(directory, { recursive: true });
  // Without overlapping sync, a commit resolves only when it would survive a power cut.
  const root = open({ path: join(directory, 'simulator.lmdb'), noSubdir: true, overlappingSync: false });
  return {
    calls: root.openDB({ name: 'calls' }),
    callOrder: root.openDB({ name: 'call-order' }),
    registrations: root.openDB({ name: 'registrations' }),
    ledger: root.openDB({ name: 'ledger' }),
    tasks: root.openDB({ name: 'tasks' }),
    transaction: (work) => root.transaction(work),
    close: () => root.close(),
  };
}

/** Range of all keys that begin with `prefix` and end with a number. */
export function keysUnder(...prefix: string[]): { start: string[]; end: (string | number)[] } {
  return { start: prefix, end: [...prefix, Number.MAX_SAFE_INTEGER] };
}
