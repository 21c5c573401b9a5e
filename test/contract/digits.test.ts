import { expect, it } from 'vitest';
import { digitsOf } from '../../contract/digits.ts';

it.for(['11012345678', '110-12345-678', '110 12345 678', ' 110.12345.678'])(
  'an account number is the same with or without separators: "%s"',
  (written) => {
    expect(digitsOf(written)).toBe('11012345678');
  },
);
