import { expect, it } from 'vitest';
import { z } from 'zod';
import { Refusal } from '../../api/http/refusal.ts';
import { validate } from '../../api/http/validation.ts';
import { codes } from '../../wire/result-codes.ts';
import type { ResultCode } from '../../wire/result-codes.ts';

const schema = z.object({
  name: z.string().min(2).max(4),
  count: z.number().min(1).optional(),
  nested: z.object({ code: z.enum(['A', 'B']) }).optional(),
});

function refusalOf(input: unknown): Refusal {
  try {
    validate(schema, input);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('The input was not refused.');
}

it('valid input is returned without additional fields', () => {
  expect(validate(schema, { name: 'abc', other: 1 })).toEqual({ name: 'abc' });
});

it.for<[unknown, ResultCode, string]>([
  [{}, codes.MISSING_VALUE, 'name'],
  [{ name: null }, codes.MISSING_VALUE, 'name'],
  [undefined, codes.MISSING_VALUE, ''],
  [{ name: '' }, codes.INVALID_VALUE, 'name'],
  [{ name: 1 }, codes.INVALID_VALUE, 'name'],
  [{ name: 'a' }, codes.WRONG_LENGTH, 'name'],
  [{ name: 'abcde' }, codes.WRONG_LENGTH, 'name'],
  [{ name: 'abc', count: 0 }, codes.INVALID_VALUE, 'count'],
  [{ name: 'abc', nested: { code: 'secret' } }, codes.INVALID_VALUE, 'nested..code'],
])('%j gives %s with the field %j', ([input, code, field]) => {
  const refusal = refusalOf(input);
  expect(refusal.code).toBe(code);
  expect(refusal.message.endsWith(field)).toBe(true);
  expect(refusal.message).not.toContain('secret');
});
