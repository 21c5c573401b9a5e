import * as fc from 'fast-check';
import { arsOutcomes } from '../../wire/registration-status.ts';
import type { ArsOutcome } from '../../wire/registration-status.ts';
import type { RefusalReason } from '../../contract/refusal-reasons.ts';

/** What happens to one registration, and which messages its run gets meanwhile. Times in ms. */
export interface Script {
  readonly holder: { readonly unanswered: number; readonly answer: 'MATCHED' | RefusalReason };
  /** By attempt; the last one repeats for further attempts. */
  readonly calls: readonly ScriptedCall[];
  readonly recording: { readonly missing: number; readonly isPermitted: boolean };
  /** By attempt; further attempts register. */
  readonly attempts: readonly ScriptedAttempt[];
  /** The inquiry never answers, so an operator must decide. */
  readonly staysUnknown: boolean;
  /** Sent to the run while it is running. */
  readonly messages: readonly ScriptedMessage[];
}

export interface ScriptedCall {
  /** EARLY: the callback precedes the answer. LOST: placed, but not answered. DOWN: neither, at the first request. */
  readonly placing: 'ANSWERED' | 'EARLY' | 'LOST' | 'DOWN';
  readonly outcome: ArsOutcome;
  readonly durationMs: number;
  /** Delays of the callbacks after the end; without one, only the inquiry reports the outcome. */
  readonly callbacks: readonly number[];
  /** Whether a callback with another outcome follows the acknowledged true one. */
  readonly contradicted: boolean;
}

export type ScriptedAttempt =
  /** DOWN: not done, not answered. LOST: done, not answered. SLOW: done shortly afterwards, not answered. */
  | { readonly kind: 'REGISTERED' | 'LOST' | 'SLOW' | 'DOWN' | 'HANGS' }
  | { readonly kind: 'REFUSED'; readonly reason: RefusalReason }
  | {
      readonly kind: 'ACCEPTED';
      readonly durationMs: number;
      readonly verdict: 'REGISTERED' | RefusalReason;
      readonly callbacks: readonly number[];
      readonly contradicted: boolean;
    };

export interface ScriptedMessage {
  readonly delayMs: number;
  /**
   * FOREIGN: of another registration. RESOLVE: by an operator who sees no review. RESET_FIRST, RESET_LAST: of the run, to
   * its first or latest workflow task. TERMINATE: of the run, which is then resumed. GARBAGE: signals and updates that
   * nothing understands.
   */
  readonly kind: (typeof messageKinds)[number] | 'CANCEL';
}

const messageKinds = [
  'FOREIGN_CALL',
  'FOREIGN_VERDICT',
  'RESOLVE',
  'TIMELINE',
  'RESET_FIRST',
  'RESET_LAST',
  'TERMINATE',
  'GARBAGE',
] as const;

const reason = fc.constantFrom<RefusalReason>('ACCOUNT_CLOSED', 'ACCOUNT_RESTRICTED', 'LIFETIME_ACCOUNT');
const short = fc.integer({ min: 0, max: 700 });
const callbacks = fc.array(fc.integer({ min: 0, max: 1_500 }), { maxLength: 3 });

const call: fc.Arbitrary<ScriptedCall> = fc.record({
  placing: fc.oneof(
    { weight: 3, arbitrary: fc.constant('ANSWERED' as const) },
    { weight: 2, arbitrary: fc.constantFrom('EARLY' as const, 'LOST' as const, 'DOWN' as const) },
  ),
  outcome: fc.oneof(
    { weight: 5, arbitrary: fc.constant('PASSED' as const) },
    { weight: 3, arbitrary: fc.constantFrom('NO_ANSWER' as const, 'BUSY' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...arsOutcomes) },
  ),
  durationMs: short,
  callbacks,
  contradicted: fc.boolean(),
});

const attempt: fc.Arbitrary<ScriptedAttempt> = fc.oneof(
  fc.record({ kind: fc.constantFrom('REGISTERED', 'LOST', 'SLOW', 'DOWN', 'HANGS') }),
  fc.record({ kind: fc.constant('REFUSED'), reason }),
  fc.record({
    kind: fc.constant('ACCEPTED'),
    durationMs: short,
    verdict: fc.oneof(fc.constant('REGISTERED' as const), reason),
    callbacks,
    contradicted: fc.boolean(),
  }),
);

/** Any script. Most let the registration pass the first steps. */
export const script: fc.Arbitrary<Script> = fc.record({
  holder: fc.record({
    unanswered: fc.integer({ min: 0, max: 2 }),
    answer: fc.oneof(
      { weight: 9, arbitrary: fc.constant('MATCHED' as const) },
      { weight: 1, arbitrary: reason },
    ),
  }),
  calls: fc.array(call, { minLength: 1, maxLength: 2 }),
  recording: fc.record({
    missing: fc.integer({ min: 0, max: 2 }),
    isPermitted: fc.oneof(
      { weight: 9, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constant(false) },
    ),
  }),
  attempts: fc.array(attempt, { minLength: 1, maxLength: 3 }),
  staysUnknown: fc.oneof(
    { weight: 5, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  messages: fc.array(
    fc.record({
      delayMs: fc.integer({ min: 0, max: 3_000 }),
      kind: fc.oneof(
        { weight: 1, arbitrary: fc.constant('CANCEL' as const) },
        {
          weight: 4,
          arbitrary: fc.constantFrom(...messageKinds),
        },
      ),
    }),
    { maxLength: 4 },
  ),
});
