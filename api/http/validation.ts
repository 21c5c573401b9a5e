import type { z } from 'zod';
import { Refusal } from './refusal.ts';
import { codes } from '../../wire/result-codes.ts';

/**
 * Checks input against a schema. The first thing wrong decides: `000_003` for a missing value, `000_015` for a wrong
 * length, `000_002` for an empty value or a wrong form, each with the field's name. The value itself is never echoed.
 */
export function validate<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const field = issue.path.join('..');
  const value = issue.path.reduce<unknown>(
    (outer, key) => (outer as Record<PropertyKey, unknown>)?.[key],
    input,
  );
  if (value === undefined || value === null) throw new Refusal(codes.MISSING_VALUE, { field });
  const isLength = (issue.code === 'too_small' || issue.code === 'too_big') && issue.origin === 'string';
  throw new Refusal(isLength && value !== '' ? codes.WRONG_LENGTH : codes.INVALID_VALUE, { field });
}
