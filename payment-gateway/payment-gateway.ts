import type { ArsOutcome } from '../wire/registration-status.ts';
import type { RefusalReason } from '../contract/refusal-reasons.ts';

/** A bank account and its stated holder. */
export interface HeldAccount {
  /** Three digits. */
  readonly bankCode: string;
  readonly accountNumber: string;
  readonly holderName: string;
  /** `yyyyMMdd`. */
  readonly birthDate: string;
}

/** One ARS call of a registration. */
export interface ArsCall {
  /** The registration number. */
  readonly reference: string;
  /** Which call of the registration, from 1. */
  readonly attempt: number;
}

/** A request that cannot be taken back. */
export interface FencedRequest {
  /**
   * After this time the payment gateway must refuse the request, however late it arrives: a sender may freeze between
   * its last look at the ledger and its write. An adapter for a payment gateway without such a limit must say so.
   */
  readonly sendBy: Date;
}

/** Asks for an ARS call. */
export interface ArsCallRequest extends ArsCall, FencedRequest {
  readonly phoneNumber: string;
  /** The two digits that the member must enter. */
  readonly code: string;
  /** Which text is read out to the member. */
  readonly scriptVersion: string;
}

/** What is known about an ARS call. NO_OUTCOME: it was placed, and nobody can say how it ended. */
export type ArsCallInquiryAnswer =
  | { readonly state: 'NOT_FOUND' | 'NO_OUTCOME' | 'IN_PROGRESS' }
  | {
      readonly state: 'ENDED';
      readonly callId: string;
      readonly outcome: ArsOutcome;
      /** The duration of a passed call's recording in seconds, if the payment gateway knows it. */
      readonly recordingSeconds?: number | undefined;
    };

/** A call that the payment gateway has taken. */
export interface PlacedArsCall {
  /** The payment gateway's own ID of the call. */
  readonly callId: string;
}

/** Asks for a registration. */
export interface RegistrationRequest extends HeldAccount, FencedRequest {
  /** The registration number: the same on each attempt. */
  readonly reference: string;
  readonly memberId: string;
  readonly evidence: { readonly callId: string; readonly sha256: string };
}

/** What the payment gateway decided about a registration. */
export type RegistrationDecision =
  | { readonly state: 'REGISTERED' }
  | { readonly state: 'REFUSED'; readonly reason: RefusalReason };

/** The answer to a request to register. ACCEPTED: the decision comes later, by callback or inquiry. */
export type RegistrationAnswer = RegistrationDecision | { readonly state: 'ACCEPTED' };

/** What is known about a registration. */
export type RegistrationInquiryAnswer =
  | RegistrationDecision
  | { readonly state: 'NOT_FOUND' | 'IN_PROGRESS' | 'REMOVED' };

/** One successful registration in the payment gateway's ledger. A reference registered twice has two. */
export interface LedgerEntry {
  /** The payment gateway's own ID of the entry. */
  readonly entryId: string;
  readonly reference: string;
  readonly memberId: string;
  /** Three digits. */
  readonly bankCode: string;
  readonly accountNumber: string;
  /** Of the evidence with which it was registered; undefined if the payment gateway does not list it. */
  readonly evidenceSha256?: string | undefined;
  readonly state: 'REGISTERED' | 'REMOVED';
}

/** A page of the ledger. `nextCursor`: where the next page begins; null on the last page. */
export interface LedgerPage {
  readonly registrations: readonly LedgerEntry[];
  readonly nextCursor: string | null;
}

/** An HTTP request to our callback URL. Nothing in it is verified yet. */
export interface CallbackRequest {
  /** The path of the URL, without the query. */
  readonly path: string;
  readonly headers: Pick<Headers, 'get'>;
  readonly body: Uint8Array;
}

/** What a verified callback says. */
export type PaymentGatewayCallback =
  | (ArsCall & {
      readonly kind: 'ARS_CALL_ENDED';
      readonly callId: string;
      readonly outcome: ArsOutcome;
    })
  | {
      readonly kind: 'REGISTRATION_DECIDED';
      /** The registration number. */
      readonly reference: string;
      readonly decision: RegistrationDecision;
    };

/** Why a callback is refused. UNAUTHENTICATED: its signature is missing, wrong or too old. */
export type RefusedCallback = { readonly kind: 'UNAUTHENTICATED' } | { readonly kind: 'MALFORMED' };

/**
 * The payment gateway (PG) as this service needs it: the port that an adapter for a vendor implements.
 *
 * Each request method throws {@link PaymentGatewayUnavailable} when there is no answer or none that the protocol knows,
 * and {@link BankUnavailable} when the payment gateway says that the bank is down. The request may have taken effect
 * anyway. `signal` ends the wait for the answer.
 *
 * Today one vendor serves everything. Three ports that different vendors serve will come out of this one:
 *
 * - account holder inquiry: `inquireAccountHolder`;
 * - ARS calls: `placeArsCall`, `inquireArsCall`, `fetchRecording`;
 * - withdrawal registration: `register`, `inquireRegistration`, `listRegistrations`, `registerAutoCharge`,
 *   `removeRegistration`.
 *
 * Each of the last two will have a `receiveCallback` of its own.
 */
export interface PaymentGateway {
  /**
   * The real-name check: asks the bank whether the account belongs to the named person. Called before the member is
   * called, and for a real-name verification through the API. It changes nothing, so it is repeated freely.
   *
   * @returns `'MATCHED'`, or why the bank refuses the account
   * @example
   * await inquireAccountHolder({ bankCode: '003', accountNumber, holderName, birthDate: '19900101' }, signal);
   * // 'NAME_MISMATCH'
   */
  inquireAccountHolder(account: HeldAccount, signal: AbortSignal): Promise<'MATCHED' | RefusalReason>;

  /**
   * Has the member called and asked for the code. Called once per attempt. Not idempotent: a second request rings a
   * second time. It resolves when the request is accepted; how the call ends comes by callback or inquiry.
   *
   * @throws {NothingSent} only if the payment gateway cannot have taken the request
   * @example
   * await placeArsCall({ reference, attempt: 1, phoneNumber: '01012345678', code: '42', scriptVersion, sendBy }, signal);
   */
  placeArsCall(request: ArsCallRequest, signal: AbortSignal): Promise<PlacedArsCall>;

  /**
   * Asks how a call stands, at growing intervals while the callback is missing.
   *
   * @returns NOT_FOUND only if the call was never placed, since the member is then called (again)
   * @example
   * await inquireArsCall({ reference, attempt: 1 }, signal);
   * // { state: 'ENDED', callId: 'C-1', outcome: 'PASSED', recordingSeconds: 12.5 }
   */
  inquireArsCall(call: ArsCall, signal: AbortSignal): Promise<ArsCallInquiryAnswer>;

  /**
   * Fetches the recording of a passed call, which becomes the evidence of consent.
   *
   * @returns undefined while there is none yet. An adapter stops reading at `maxRecordingBytes` + 1 bytes, so the caller
   * can tell that a recording is too large.
   * @example
   * await fetchRecording('C-1', signal); // <Buffer 52 49 46 46 …>
   */
  fetchRecording(callId: string, signal: AbortSignal): Promise<Buffer | undefined>;

  /**
   * Registers an account for withdrawals. Called once the evidence is stored. Not idempotent: a second request may
   * register twice, so another attempt is made only after `inquireRegistration` has answered NOT_FOUND to a question
   * that was put when the earlier attempt had settled.
   *
   * @throws {NothingSent} only if the payment gateway cannot have taken the request
   * @example
   * await register({ reference, memberId, bankCode, accountNumber, holderName, birthDate, evidence, sendBy }, signal);
   * // { state: 'REFUSED', reason: 'ACCOUNT_CLOSED' }
   */
  register(request: RegistrationRequest, signal: AbortSignal): Promise<RegistrationAnswer>;

  /**
   * Inquires about a registration: after an attempt without a clear answer, while the callback is missing, and
   * when a reconciliation has found a difference.
   *
   * @returns NOT_FOUND only if the payment gateway does not know the reference, since it is then registered (again)
   * @example
   * await inquireRegistration(reference, signal); // { state: 'IN_PROGRESS' }
   */
  inquireRegistration(reference: string, signal: AbortSignal): Promise<RegistrationInquiryAnswer>;

  /**
   * Reads a page of the ledger, from `cursor` or from the beginning. Called by the daily reconciliation.
   *
   * @returns at most `limit` entries in any order. Reading all pages returns each entry that
   * existed at the start exactly once.
   * @example
   * await listRegistrations({ cursor: null, limit: 500 }, signal); // { registrations: […], nextCursor: '500' }
   */
  listRegistrations(
    page: { readonly cursor: string | null; readonly limit: number },
    signal: AbortSignal,
  ): Promise<LedgerPage>;

  /**
   * Registers a registered account for auto charge, on request of the service provider. Idempotent.
   *
   * @returns false if the reference is not registered
   * @example
   * await registerAutoCharge(reference, signal); // true
   */
  registerAutoCharge(reference: string, signal: AbortSignal): Promise<boolean>;

  /**
   * Removes a registration. Called when an account is replaced or deleted, and repeated until it succeeds. Idempotent:
   * it resolves as well if the registration does not exist.
   *
   * @example
   * await removeRegistration(reference, signal);
   */
  removeRegistration(reference: string, signal: AbortSignal): Promise<void>;

  /**
   * Verifies and parses a request to our callback URL. Called by the API with the raw bytes. It sends
   * nothing, and the same callback may come several times.
   *
   * @returns what the callback says; or UNAUTHENTICATED, which the API answers with 401, or MALFORMED, with 400
   * @example
   * await receiveCallback({ path: '/pg/callbacks', headers, body });
   * // { kind: 'REGISTRATION_DECIDED', reference, decision: { state: 'REGISTERED' } }
   */
  receiveCallback(request: CallbackRequest): Promise<PaymentGatewayCallback | RefusedCallback>;
}

/** The payment gateway gave no proper answer. The text names the request and the cause, never content. */
export class PaymentGatewayUnavailable extends Error {
  override readonly name = 'PaymentGatewayUnavailable';
}

/** The request never reached the payment gateway, or it refused it unread: nothing happened there. */
export class NothingSent extends PaymentGatewayUnavailable {}

/** The payment gateway answered that it gets no proper answer from the bank. */
export class BankUnavailable extends PaymentGatewayUnavailable {}
