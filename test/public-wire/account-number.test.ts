import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { accountNumber, digitsOf } from '../../wire/account-number.ts';

const separator = fc.constantFrom(
  '-',
  ' ',
  '  ',
  ' - ',
  '\u2010',
  '\u2011',
  '\u2013',
  '\u2014',
  '\u2212',
  '\uff0d',
  '\u3000',
);

/** An account number with separators between its groups, perhaps in full-width digits. */
const spelt = fc.array(fc.stringMatching(/^\d{1,4}$/), { minLength: 1, maxLength: 5 }).chain((groups) =>
  fc
    .record({
      separators: fc.array(separator, { minLength: 4, maxLength: 4 }),
      isFullWidth: fc.boolean(),
      around: fc.constantFrom('', ' ', '\t', '\u200b'),
    })
    .map(({ separators, isFullWidth, around }) => {
      const text = groups.map((group, index) => (index === 0 ? '' : separators[index - 1]) + group).join('');
      const written = isFullWidth ? text.replaceAll(/\d/g, fullWidth) : text;
      return [groups.join(''), around + written + around] as const;
    }),
);

function fullWidth(digit: string): string {
  return String.fromCodePoint(digit.codePointAt(0)! + 0xfee0);
}

it('every spelling of an account number is parsed as its digits', () => {
  fc.assert(
    fc.property(spelt, ([digits, written]) => {
      expect(accountNumber.parse(written)).toBe(digits);
      expect(digitsOf(written)).toBe(digits);
    }),
  );
});

it.for(['', ' ', '-', '12-', '-12', '12--34', '12a34', '12.34', '１２ー３４', '٠١٢', '①②', '12+34', '12/34'])(
  '%j is refused',
  (text) => {
    expect(accountNumber.safeParse(text).error?.issues).toMatchObject([{ code: 'custom' }]);
  },
);

it('has at most 20 digits, whatever stands between them', () => {
  const issue = { code: 'too_big', origin: 'string', maximum: 20 };
  expect(accountNumber.parse(Array.from('12345678901234567890').join(' - '))).toBe('12345678901234567890');
  expect(accountNumber.safeParse('1234-5678-9012-3456-7890-1').error?.issues).toMatchObject([issue]);
});

it.for(['11012345678', '110-12345-678', '110 12345 678', ' 110.12345.678', '１１０１２３４５６７８'])(
  'the digits of "%s" are those of every other spelling',
  (written) => {
    expect(digitsOf(written)).toBe('11012345678');
  },
);
