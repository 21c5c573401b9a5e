import type { z } from 'zod';
import type { ResultCode } from './result-codes.ts';

/** An endpoint of the API as data. Server, client and documentation are built from it. */
export interface Operation<
  Request extends z.ZodObject = z.ZodObject,
  Response extends z.ZodObject = z.ZodObject,
> {
  /** What generated clients call it; its schemas are named after it. */
  readonly name: string;
  /** The path below `/api/v1`. */
  readonly path: `/${string}`;
  readonly title: string;
  readonly description: string;
  /** Whether the platform documents an encrypted request body. */
  readonly encrypted: boolean;
  /** Whether it takes an Idempotency-Key and gives a repeat of the request its first answer. Default: no. */
  readonly changes?: boolean;
  /**
   * Which responses are encrypted. Default: none. `always`: all. `as-asked`: those to an encrypted request.
   */
  readonly answerEncrypted?: 'always' | 'as-asked';
  readonly request: Request;
  /** The payload: the fields beside `response`. */
  readonly response: Response;
  /** The fields beside `response` of a refusal, each optional. Default: none. */
  readonly refusal?: z.ZodObject;
  /** The operation's own result codes. Every operation can also return those of family 000. */
  readonly codes: readonly ResultCode[];
}

/** Defines an operation and keeps the types of its schemas. */
export function defineOperation<Request extends z.ZodObject, Response extends z.ZodObject>(
  operation: Operation<Request, Response>,
): Operation<Request, Response> {
  return operation;
}
