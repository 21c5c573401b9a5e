import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { open } from 'lmdb';
import type { Database } from 'lmdb';
import type { CallConclusion, CallOutcome, RegistrationRefusal } from './protocol.ts';

/** One ARS call. */
export interface Call {
  callId: string;
  reference: string;
  attempt: number;
  phoneNumber: string;
  code: string;
  callbackUrl: string;
  /** The protocol reports RINGING and ANSWERED as IN_PROGRESS. */
  state: 'RINGING' | 'ANSWERED' | CallConclusion['state'];
  outcome?: CallOutcome;
  /** Unix ms. */
  startedAt: number;
}

/** The gateway's state of one reference. */
export interface Registration {
  reference: string;
  /** Absent until a request has reached the bank. */
  state?: 'IN_PROGRESS' | 'REGISTERED' | 'REFUSED' | 'REMOVED';
  reason?: RegistrationRefusal;
  /** Register requests received, successful or not. */
  registerCalls: number;
  ledgerKeys: LedgerKey[];
  /** Until then the inquiry answers NOT_FOUND, in Unix ms. */
  unseenUntil?: number;
}

/** One successful registration; a reference registered twice has two. */
export interface RegistrationRecord {
  reference: string;
  memberId: string;
  bankCode: string;
  accountNumber: string;
  evidenceSha256: string;
  state: 'REGISTERED' | 'REMOVED';
}

/** The member, then the number of the entry among the member's entries. */
export type LedgerKey = [memberId: string, number: number];

/** Something to do once, at `at` (Unix ms). */
export type Task = { at: number } & (
  | { kind: 'CONCLUDE_CALL'; callId: string; conclusion: CallConclusion }
  | { kind: 'ENTER_REGISTRATION'; entry: RegistrationRecord; callbackUrl: string }
  | { kind: 'DELIVER_CALLBACK'; url: string; body: string; failures: number }
);

/** Identifies a task: its kind, then the task. */
export type TaskKey = [
  about: 'call' | 'call-callback' | 'phone' | 'registration' | 'registration-callback',
  id: string,
  number: number,
];

/** The simulator's state. Reads are synchronous; writes belong inside `transaction`. */
export interface Store {
  /** By call ID. */
  calls: Database<Call, string>;
  /** Call IDs of a reference in chronological order, counted from 1. */
  callOrder: Database<string, [reference: string, number: number]>;
  /** By reference. */
  registrations: Database<Registration, string>;
  ledger: Database<RegistrationRecord, LedgerKey>;
  tasks: Database<Task, TaskKey>;
  /** Runs `work` atomically. Resolves when it is on disk. */
  transaction<T>(work: () => T): Promise<T>;
  close(): Promise<void>;
}

/** Opens the store in `directory`, which is created if missing. */
export function openStore(directory: string): Store {
  createDirectory(directory);
  // Without overlapping sync, a commit resolves only when it would survive a power failure.
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

/** The range of all keys that start with `prefix` and end with a number. */
export function keysUnder(...prefix: string[]): { start: string[]; end: (string | number)[] } {
  return { start: prefix, end: [...prefix, Number.MAX_SAFE_INTEGER] };
}

/** Node's own recursive `mkdirSync` never returns where the file system answers ENOENT, as `/proc` does. */
function createDirectory(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(directory);
  if (parent !== directory) createDirectory(parent);
  mkdirSync(directory);
}
