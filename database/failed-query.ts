import { DrizzleQueryError } from 'drizzle-orm';
import { errorCode } from '../runtime/error-code.ts';

/**
 * The text of a query that failed, safe to show: the error's own message repeats the parameters of the query.
 * @returns `The database query failed (57P01).`, with the SQLSTATE or system code if there is one; undefined for any
 * other error
 */
export function failedQueryText(error: unknown): string | undefined {
  if (!(error instanceof DrizzleQueryError)) return undefined;
  const code = errorCode(error.cause);
  return code ? `The database query failed (${code}).` : 'The database query failed.';
}

/** Whether a query failed because a row would have broken this unique index. */
export function isUniqueViolation(error: unknown, index: string): boolean {
  if (!(error instanceof DrizzleQueryError)) return false;
  const { cause } = error;
  return errorCode(cause) === '23505' && (cause as { constraint?: string }).constraint === index;
}
