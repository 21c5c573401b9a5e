import type { ArsOutcome } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';

/** What leaves the house and cannot be taken back lightly. */
export const effectKinds = ['ARS_CALL', 'REGISTRATION', 'REMOVAL', 'AUTO_CHARGE'] as const;

/** One of {@link effectKinds}. */
export type EffectKind = (typeof effectKinds)[number];

/**
 * Where an effect stands. SENT: it may have left. ACCEPTED: the payment gateway has it. Decided: DONE, REFUSED, ABSENT
 * (the payment gateway never got it), and NOT_SENT (it never left, so it may be sent again).
 */
export type EffectState = 'SENT' | 'ACCEPTED' | 'DONE' | 'REFUSED' | 'ABSENT' | 'NOT_SENT';

/** Who said how an effect ended. */
export type EffectSource = 'ANSWER' | 'CALLBACK' | 'INQUIRY' | 'OPERATOR' | 'CANCELLATION';

/** What an effect came to: how a call ended, or the code with which a registration ended. */
export type EffectOutcome =
  | ArsOutcome
  | ResultCode
  /** The registration ended while the phone rang. */
  | 'CANCELLED'
  /** Nobody can say how the call ended. */
  | 'NO_OUTCOME'
  /** The payment gateway spoke of another call than the one that it placed. */
  | 'ANOTHER_CALL';

/** A row of the ledger, as decisions read it. Times in Unix ms. */
export interface Effect {
  readonly kind: EffectKind;
  /** From 1. */
  readonly attempt: number;
  readonly state: EffectState;
  readonly outcome: EffectOutcome | null;
  /** The payment gateway's ID of an ARS call. */
  readonly callId: string | null;
  readonly sentAt: number;
  /** After this time the payment gateway refuses the request, however late it arrives. */
  readonly sendBy: number;
  /** A NOT_FOUND counts only if the question was put after this time. */
  readonly settledAt: number;
  /** How often the payment gateway was asked about it. */
  readonly asks: number;
  /** When it is to be asked next. */
  readonly askAt: number;
  /** Null while it is open. */
  readonly decidedAt: number | null;
  /** Whether nobody knows that it was sent: a restore of the database may have lost its row. */
  readonly isAssumed: boolean;
}

/** Whether an effect may still happen. */
export function isOpen({ state }: Pick<Effect, 'state'>): boolean {
  return state === 'SENT' || state === 'ACCEPTED';
}
