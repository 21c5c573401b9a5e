import { codes, resultCodes } from '../wire/result-codes.ts';
import type { ResultCode, ResultCodeEntry } from '../wire/result-codes.ts';

/** The codes of errors that the client itself detects. */
export type ClientCode =
  /** The connection failed or broke. */
  | 'CONNECTION_FAILED'
  /** No answer in time. */
  | 'TIMED_OUT'
  /** The caller's signal aborted the call. */
  | 'ABORTED'
  /** HTTP 408, 429 or 5xx without a result code. */
  | 'SERVER_ERROR'
  /** The answer is not documented. */
  | 'UNEXPECTED_ANSWER'
  /** The wait ended before the registration did. */
  | 'STILL_RUNNING'
  /** An X-KM header of a notification is missing or malformed. */
  | 'NOTIFICATION_HEADERS'
  /** A notification's token does not match its body. */
  | 'NOTIFICATION_SIGNATURE'
  /** A notification's times are too far from the clock. */
  | 'NOTIFICATION_TIME'
  /** A notification cannot be decrypted, or its content is not a notification. */
  | 'NOTIFICATION_CONTENT';

/** The possible values of `code`. Open, because a newer service may have codes that this client does not know. */
export type KmErrorCode = ResultCode | ClientCode | (string & Record<never, never>);

interface ErrorDetails {
  readonly code: KmErrorCode;
  readonly text: string;
  readonly correlationId?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** With these the service has done nothing. */
const codesOfNoEffect: readonly string[] = [codes.TOO_MANY_REQUESTS, codes.REQUEST_TIMEOUT];

/** The base class of all errors of this client. Messages contain no personal data. */
export abstract class KmError extends Error {
  override readonly name: string = 'KmError';
  /** A result code of the service, such as `002_013`, or a {@link ClientCode}. */
  readonly code: KmErrorCode;
  /** A description of the code. */
  readonly text: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Identifies the request to the service's operator. Undefined when no request was sent. */
  readonly correlationId: string | undefined;
  /**
   * Set when the call changes something and may have taken effect. Call again with this key: there is one effect at most,
   * and the answer is the first one.
   */
  readonly idempotencyKey: string | undefined;
  readonly #payload: Readonly<Record<string, unknown>>;

  constructor(
    { code, text, correlationId, idempotencyKey, payload = {}, cause }: ErrorDetails,
    retryable: boolean,
  ) {
    const reference = correlationId === undefined ? code : `${code}, correlation ID ${correlationId}`;
    const isUnknown = idempotencyKey !== undefined && !codesOfNoEffect.includes(code);
    const advice = isUnknown
      ? " The outcome is unknown: call again with this error's idempotencyKey as the option."
      : '';
    super(`${text} (${reference})${advice}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.text = text;
    this.retryable = retryable;
    this.correlationId = correlationId;
    this.idempotencyKey = idempotencyKey;
    this.#payload = payload;
  }

  /** The payload beside `response`. A getter, because loggers write an error's own properties. */
  get payload(): Readonly<Record<string, unknown>> {
    return this.#payload;
  }

  /** A field of the payload, if it is a string. */
  protected stringOf(name: string): string | undefined {
    const value = this.#payload[name];
    return typeof value === 'string' ? value : undefined;
  }
}

/** The service answered with a result code other than `000_000`. */
export class KmRefusal extends KmError {
  override readonly name: string = 'KmRefusal';

  constructor(details: ErrorDetails) {
    const catalogue: Readonly<Record<string, ResultCodeEntry>> = resultCodes;
    const { retryable } = details.payload ?? {};
    super(
      details,
      typeof retryable === 'boolean' ? retryable : (catalogue[details.code]?.retryable ?? false),
    );
  }
}

/** `002_013`: another operation of the same member is running. */
export class RegistrationInProgressError extends KmRefusal {
  override readonly name = 'RegistrationInProgressError';

  /**
   * The running registration, so that a caller that lost the first answer can continue. Undefined if another kind of
   * operation is running.
   */
  get bankAccRegNo(): string | undefined {
    return this.stringOf('bankAccRegNo');
  }

  /** The two digits that the member enters, if the first answer had them. */
  get authNumber(): string | undefined {
    return this.stringOf('authNumber');
  }
}

/**
 * The outcome of the call is unknown: no answer, or HTTP 408, 429 or 5xx. Always retryable. With `000_914` and
 * `000_915`, nothing was done.
 */
export class KmUnavailable extends KmError {
  override readonly name = 'KmUnavailable';
  /** How long to wait before the next attempt, in ms, from Retry-After. Undefined without that header. */
  readonly retryAfterMs: number | undefined;

  constructor({
    retryAfterMs,
    ...details
  }: ErrorDetails & {
    readonly retryAfterMs?: number | undefined;
  }) {
    super(details, true);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The caller's signal aborted a call that changes something. `cause` is the signal's reason. The outcome is unknown. */
export class KmAborted extends KmError {
  override readonly name = 'KmAborted';

  constructor(details: Omit<ErrorDetails, 'code' | 'text'>) {
    super({ ...details, code: 'ABORTED', text: 'The caller aborted the call.' }, true);
  }
}

/**
 * The answer does not belong to this API: a wrong base URL, a proxy, or another version of the service. Retryable when
 * the call changes something, with its idempotency key: the outcome is unknown.
 */
export class KmProtocolError extends KmError {
  override readonly name = 'KmProtocolError';

  constructor(details: Omit<ErrorDetails, 'code'>) {
    super({ ...details, code: 'UNEXPECTED_ANSWER' }, details.idempotencyKey !== undefined);
  }
}

/** `waitUntilDone` reached its time limit. The registration continues; it is safe to wait again. */
export class RegistrationStillRunningError extends KmError {
  override readonly name = 'RegistrationStillRunningError';

  /** @param cause why the last inquiry had no answer, if it had none */
  constructor(cause?: unknown) {
    super({ code: 'STILL_RUNNING', text: 'The registration is still running.', cause }, true);
  }
}

/** The notification is forged, stale or unreadable. Answer it with HTTP 400. */
export class InvalidNotificationError extends KmError {
  override readonly name = 'InvalidNotificationError';

  constructor(details: ErrorDetails & { readonly code: `NOTIFICATION_${string}` & ClientCode }) {
    super(details, false);
  }
}
