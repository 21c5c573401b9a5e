import * as fc from 'fast-check';
import { arsOutcomes } from '../../wire/registration-status.ts';
import type { ArsOutcome } from '../../wire/registration-status.ts';
import type { RefusalReason } from '../../contract/refusal-reasons.ts';

/** What the world does to one registration, and what is said to its run meanwhile. Times in ms. */
export interface Script {
  readonly holder: { readonly unanswered: number; readonly answer: 'MATCHED' | RefusalReason };
  /** By attempt; the last one is that of every further attempt. */
  readonly calls: readonly ScriptedCall[];
  readonly recording: { readonly missing: number; readonly isPermitted: boolean };
  /** By attempt; an attempt beyond the last one registers. */
  readonly attempts: readonly ScriptedAttempt[];
  /** Nobody can be asked what became of the registration, so that an operator must decide. */
  readonly staysUnknown: boolean;
  /** Said to the run while it goes on. */
  readonly messages: readonly ScriptedMessage[];
}

export interface ScriptedCall {
  /** EARLY: the callback overtakes the answer. LOST: placed, not answered. DOWN: neither, the first time. */
  readonly placing: 'ANSWERED' | 'EARLY' | 'LOST' | 'DOWN';
  readonly outcome: ArsOutcome;
  readonly lasts: number;
  /** When the outcome is told, after the end; none: only the inquiry tells. */
  readonly callbacks: readonly number[];
  /** Whether another outcome is told once the true one has been taken. */
  readonly contradicted: boolean;
}

export type ScriptedAttempt =
  /** DOWN: not done, not answered. LOST: done, not answered. SLOW: done a little later, not answered. */
  | { readonly kind: 'REGISTERED' | 'LOST' | 'SLOW' | 'DOWN' | 'HANGS' }
  | { readonly kind: 'REFUSED'; readonly reason: RefusalReason }
  | {
      readonly kind: 'ACCEPTED';
      readonly lasts: number;
      readonly verdict: 'REGISTERED' | RefusalReason;
      readonly callbacks: readonly number[];
      readonly contradicted: boolean;
    };

export interface ScriptedMessage {
  readonly after: number;
  /** FOREIGN: of another registration. RESOLVE: by an operator who sees no review. */
  readonly kind: 'CANCEL' | 'FOREIGN_CALL' | 'FOREIGN_VERDICT' | 'RESOLVE' | 'TIMELINE';
}

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
  lasts: short,
  callbacks,
  contradicted: fc.boolean(),
});

const attempt: fc.Arbitrary<ScriptedAttempt> = fc.oneof(
  fc.record({ kind: fc.constantFrom('REGISTERED', 'LOST', 'SLOW', 'DOWN', 'HANGS') }),
  fc.record({ kind: fc.constant('REFUSED'), reason }),
  fc.record({
    kind: fc.constant('ACCEPTED'),
    lasts: short,
    verdict: fc.oneof(fc.constant('REGISTERED' as const), reason),
    callbacks,
    contradicted: fc.boolean(),
  }),
);

/** Every script, whose registration passes the first steps more often than not. */
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
      after: fc.integer({ min: 0, max: 3_000 }),
      kind: fc.oneof(
        { weight: 1, arbitrary: fc.constant('CANCEL' as const) },
        {
          weight: 4,
          arbitrary: fc.constantFrom(
            'FOREIGN_CALL' as const,
            'FOREIGN_VERDICT' as const,
            'RESOLVE' as const,
            'TIMELINE' as const,
          ),
        },
      ),
    }),
    { maxLength: 4 },
  ),
});
