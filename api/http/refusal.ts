import { resultCodes } from '../../wire/result-codes.ts';
import type { ResultCode } from '../../wire/result-codes.ts';

/** A request that is not fulfilled, with the code of the catalogue that says why. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ResultCode;
  /** What the answer carries beside `response`. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** How long to wait before the same is asked again, in seconds. */
  readonly retryAfter: number | undefined;

  /**
   * @param details `field`: the name that belongs to the text; `payload`: what the answer carries beside it;
   * `retryAfter`: in seconds.
   */
  constructor(
    code: ResultCode,
    details: { field?: string; payload?: Readonly<Record<string, unknown>>; retryAfter?: number } = {},
  ) {
    super(
      details.field === undefined ? resultCodes[code].text : `${resultCodes[code].text} ${details.field}`,
    );
    this.code = code;
    this.payload = details.payload ?? {};
    this.retryAfter = details.retryAfter;
  }
}
