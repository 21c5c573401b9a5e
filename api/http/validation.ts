import type { z } from 'zod';
import { Refusal } from './refusal.ts';
import { codes } from '../../wire/result-codes.ts';

/**
 * Validates input against a schema. Refuses the first invalid field by name: `000_003` if it is missing, `000_015` if its
 * length is wrong, `000_002` if it is empty or malformed. Never repeats the value.
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
