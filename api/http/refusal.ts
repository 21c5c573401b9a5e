import { resultCodes, troubles } from '../../wire/result-codes.ts';
import type { ResultCode, Trouble } from '../../wire/result-codes.ts';

/** A refused or failed request, with the result code that says why. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ResultCode;
  /** The fields of the response beside `response`. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** How long the client should wait before it sends the request again, in seconds. */
  readonly retryAfter: number | undefined;

  /**
   * @param details `field`: the field that the text names; `trouble`: the kind of trouble that it names; `payload`: the fields beside `response`; `retryAfter`: seconds
   *
   * @example
   * ```ts
   * throw new Refusal(codes.MISSING_VALUE, { field: 'userId' });
   * ```
   */
  constructor(
    code: ResultCode,
    details: {
      field?: string;
      trouble?: Trouble;
      payload?: Readonly<Record<string, unknown>>;
      retryAfter?: number;
    } = {},
  ) {
    const named = details.trouble ? troubles[details.trouble] : details.field;
    super(named === undefined ? resultCodes[code].text : `${resultCodes[code].text} ${named}`);
    this.code = code;
    this.payload = details.payload ?? {};
    this.retryAfter = details.retryAfter;
  }
}
