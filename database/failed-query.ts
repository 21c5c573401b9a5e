import { DrizzleQueryError } from 'drizzle-orm';

/**
 * The text of a query that failed, safe to show: the error's own message repeats the parameters of the query.
 * @returns `The database query failed (57P01).`, with the SQLSTATE or system code if there is one; undefined for any
 * other error
 */
export function failedQueryText(error: unknown): string | undefined {
  if (!(error instanceof DrizzleQueryError)) return undefined;
  const code = error.cause && 'code' in error.cause ? ` (${String(error.cause.code)})` : '';
  return `The database query failed${code}.`;
}
