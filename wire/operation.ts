import type { z } from 'zod';
import type { ResultCode } from './result-codes.ts';

/** An endpoint of the API as data: server, client and documentation are all made from it. */
export interface Operation<
  Request extends z.ZodObject = z.ZodObject,
  Response extends z.ZodObject = z.ZodObject,
> {
  /** Below `/api/v1`. */
  readonly path: `/${string}`;
  readonly title: string;
  readonly description: string;
  /** Whether the documents ask for an encrypted request body. */
  readonly encrypted: boolean;
  /**
   * Which answers are encrypted: by default none. `always`: every one. `as-asked`: the answer to an encrypted request.
   */
  readonly answerEncrypted?: 'always' | 'as-asked';
  readonly request: Request;
  /** What stands beside `response` in the answer. */
  readonly response: Response;
  /** The codes of its own; those of family 000 belong to every operation. */
  readonly codes: readonly ResultCode[];
}

/** Keeps the schemas' types of an operation. */
export function defineOperation<Request extends z.ZodObject, Response extends z.ZodObject>(
  operation: Operation<Request, Response>,
): Operation<Request, Response> {
  return operation;
}
