import type { ArsOutcome } from '../wire/registration-status.ts';
import type { RefusalReason } from '../contract/refusal-reasons.ts';

/** A bank account and the person it is said to belong to. */
export interface HeldAccount {
  /** Three digits. */
  readonly bankCode: string;
  readonly accountNumber: string;
  readonly holderName: string;
  /** `yyyyMMdd`. */
  readonly birthDate: string;
}

/** An ARS call to be placed. */
export interface ArsCallOrder {
  /** The registration number. */
  readonly reference: string;
  /** Which call of the registration, from 1. */
  readonly attempt: number;
  readonly phoneNumber: string;
  /** The two digits the member must key in. */
  readonly code: string;
  /** Which text is read out to the member. */
  readonly scriptVersion: string;
}

/** How an ARS call stands. NO_OUTCOME: the payment gateway placed it and cannot say what became of it. */
export type ArsCallState =
  | { readonly state: 'NOT_FOUND' | 'NO_OUTCOME' | 'IN_PROGRESS' }
  | {
      readonly state: 'ENDED';
      readonly callId: string;
      readonly outcome: ArsOutcome;
      /** How long the recording of a passed call is, where the payment gateway tells. */
      readonly recordingSeconds?: number | undefined;
    };

/** A registration to be made. The reference, the registration number, is the same on each attempt. */
export interface RegistrationOrder extends HeldAccount {
  readonly reference: string;
  readonly memberId: string;
  readonly evidence: { readonly callId: string; readonly sha256: string };
}

/** The answer to an order. ACCEPTED: the verdict comes by callback or inquiry. */
export type RegistrationAnswer =
  | { readonly state: 'REGISTERED' | 'ACCEPTED' }
  | { readonly state: 'REFUSED'; readonly reason: RefusalReason };

/** How a registration stands. */
export type RegistrationStanding =
  | { readonly state: 'NOT_FOUND' | 'IN_PROGRESS' | 'REGISTERED' | 'REMOVED' }
  | { readonly state: 'REFUSED'; readonly reason: RefusalReason };

/** One successful registration in the payment gateway's ledger. A reference registered twice has two. */
export interface LedgerEntry {
  /** The payment gateway's own ID of the entry. */
  readonly entryId: string;
  readonly reference: string;
  readonly memberId: string;
  /** Three digits. */
  readonly bankCode: string;
  readonly accountNumber: string;
  readonly state: 'REGISTERED' | 'REMOVED';
}

/** A part of the ledger. `nextCursor`: where the next one begins; null at the end. */
export interface LedgerPage {
  readonly registrations: readonly LedgerEntry[];
  readonly nextCursor: string | null;
}

/**
 * The payment gateway (PG) as this service needs it. Every method throws {@link PaymentGatewayUnavailable} when
 * there is no answer, or none that the protocol knows; what was asked for may have happened all the same.
 */
export interface PaymentGateway {
  /** The real-name check: whether the account is the named person's. */
  inquireAccountHolder(account: HeldAccount, signal: AbortSignal): Promise<'MATCHED' | RefusalReason>;
  /** Has the member called. Not idempotent: asking twice rings twice. */
  placeArsCall(order: ArsCallOrder, signal: AbortSignal): Promise<void>;
  inquireArsCall(
    call: Pick<ArsCallOrder, 'reference' | 'attempt'>,
    signal: AbortSignal,
  ): Promise<ArsCallState>;
  /** The recording of a passed call, or undefined while there is none. At most 307,201 bytes are read. */
  fetchRecording(callId: string, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Registers an account. Not idempotent: asking twice may register twice. */
  register(order: RegistrationOrder, signal: AbortSignal): Promise<RegistrationAnswer>;
  inquireRegistration(reference: string, signal: AbortSignal): Promise<RegistrationStanding>;
  /**
   * A page of the ledger, from `cursor` or from the beginning. A walk meets each entry that was there at its start
   * exactly once; in which order is the payment gateway's business.
   */
  listRegistrations(
    page: { readonly cursor: string | null; readonly limit: number },
    signal: AbortSignal,
  ): Promise<LedgerPage>;
  /** Registers a registered account for auto charge; the same again is harmless. False when it is not registered. */
  registerAutoCharge(reference: string, signal: AbortSignal): Promise<boolean>;
  /** Removes a registration; one that is not there is as good as removed. */
  removeRegistration(reference: string, signal: AbortSignal): Promise<void>;
}

/** The payment gateway gave no proper answer. The text names the request and the kind of trouble, never content. */
export class PaymentGatewayUnavailable extends Error {
  override readonly name = 'PaymentGatewayUnavailable';
}

/** The payment gateway answered that the bank gives it no proper answer. */
export class BankUnavailable extends PaymentGatewayUnavailable {}
