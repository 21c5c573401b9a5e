import { resultCodes } from '../wire/result-codes.ts';
import type { ResultCode, ResultCodeEntry } from '../wire/result-codes.ts';

/** The codes of what goes wrong on this side of the wire. */
export type ClientCode =
  /** No connection, or it broke. */
  | 'CONNECTION_FAILED'
  /** No answer in time. */
  | 'TIMED_OUT'
  /** HTTP 408, 429 or 5xx without a result code. */
  | 'SERVER_ERROR'
  /** An answer that the contract does not know. */
  | 'UNEXPECTED_ANSWER'
  /** The wait was over before the registration was. */
  | 'STILL_RUNNING'
  /** An X-KM header of a notification is absent or of the wrong form. */
  | 'NOTIFICATION_HEADERS'
  /** A notification's token is not that of its body. */
  | 'NOTIFICATION_SIGNATURE'
  /** A notification's times are too far from the clock. */
  | 'NOTIFICATION_TIME'
  /** A notification cannot be decrypted or is no notification. */
  | 'NOTIFICATION_CONTENT';

/** What `code` of an error can be; open, because a newer service may have codes that this client does not know. */
export type KmErrorCode = ResultCode | ClientCode | (string & Record<never, never>);

interface Details {
  readonly code: KmErrorCode;
  readonly text: string;
  readonly correlationId?: string | undefined;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** What all errors of this client have in common. Messages hold no personal data. */
export abstract class KmError extends Error {
  override readonly name: string = 'KmError';
  /** A result code of the service, such as `002_013`, or a {@link ClientCode}. */
  readonly code: KmErrorCode;
  /** What the code means, for people. */
  readonly text: string;
  /** Whether the same call may succeed when it is made again later. */
  readonly retryable: boolean;
  /** What the service's operator finds the request by. Absent where no request was made. */
  readonly correlationId: string | undefined;
  readonly #payload: Readonly<Record<string, unknown>>;

  constructor({ code, text, correlationId, payload = {}, cause }: Details, retryable: boolean) {
    const reference = correlationId === undefined ? code : `${code}, correlation ID ${correlationId}`;
    super(`${text} (${reference})`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.text = text;
    this.retryable = retryable;
    this.correlationId = correlationId;
    this.#payload = payload;
  }

  /** What the answer carried beside `response`. A getter, because loggers write down an error's own properties. */
  get payload(): Readonly<Record<string, unknown>> {
    return this.#payload;
  }

  /** A text of the payload; undefined when it is none. */
  protected textOf(name: string): string | undefined {
    const value = this.#payload[name];
    return typeof value === 'string' ? value : undefined;
  }
}

/** The service answered with a result code other than `000_000`. */
export class KmRefusal extends KmError {
  override readonly name: string = 'KmRefusal';

  constructor(details: Details) {
    const catalogue: Readonly<Record<string, ResultCodeEntry>> = resultCodes;
    super(details, catalogue[details.code]?.retryable ?? false);
  }
}

/** `002_013`: another operation of the same member is running. */
export class RegistrationInProgressError extends KmRefusal {
  override readonly name = 'RegistrationInProgressError';

  /** The running registration; whoever lost the first answer goes on with it. Absent when something else runs. */
  get bankAccRegNo(): string | undefined {
    return this.textOf('bankAccRegNo');
  }

  /** The two digits to key in, where the lost answer had carried them. */
  get authNumber(): string | undefined {
    return this.textOf('authNumber');
  }
}

/**
 * Nothing is known of what became of the call: no answer, or HTTP 408, 429 or 5xx. Always worth another try. Only of
 * `000_914` and `000_915` it is known that nothing was done.
 */
export class KmUnavailable extends KmError {
  override readonly name = 'KmUnavailable';
  /** How long the service asks to wait before the next try, in ms: its Retry-After. Absent where it asks for nothing. */
  readonly retryAfterMs: number | undefined;

  constructor({ retryAfterMs, ...details }: Details & { readonly retryAfterMs?: number | undefined }) {
    super(details, true);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The answer is outside the contract: a wrong base URL, a proxy in between, or another version of the service. */
export class KmProtocolError extends KmError {
  override readonly name = 'KmProtocolError';

  constructor(details: Omit<Details, 'code'>) {
    super({ ...details, code: 'UNEXPECTED_ANSWER' }, false);
  }
}

/** `waitUntilDone` reached its time limit. The registration goes on; waiting again is safe. */
export class RegistrationStillRunningError extends KmError {
  override readonly name = 'RegistrationStillRunningError';

  /** @param cause what kept the last inquiry from being answered, if it was not */
  constructor(cause?: unknown) {
    super({ code: 'STILL_RUNNING', text: 'The registration is still running.', cause }, true);
  }
}

/** What came in is not a notification of the service, or not a fresh one. Answer it with HTTP 400. */
export class InvalidNotificationError extends KmError {
  override readonly name = 'InvalidNotificationError';

  constructor(details: Details & { readonly code: `NOTIFICATION_${string}` & ClientCode }) {
    super(details, false);
  }
}
