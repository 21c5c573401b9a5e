import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalPhoneNumber, phoneNumber } from '../../wire/phone-number.ts';

const digits = (length: number) => fc.stringMatching(new RegExp(`^\\d{${length}}$`));

/** The parts of a number as people in Korea group them. */
const parts = fc.oneof(
  fc.tuple(fc.constant('010'), digits(4), digits(4)),
  fc.tuple(fc.constant('02'), fc.constantFrom('234', '2345'), digits(4)),
  fc.tuple(fc.constantFrom('031', '051', '064'), fc.constantFrom('234', '2345'), digits(4)),
  fc.tuple(fc.constant('070'), digits(4), digits(4)),
  fc.tuple(fc.constantFrom('0502', '0507'), digits(4), digits(4)),
);

const separator = fc.constantFrom('', '-', ' ', '.', '/', ' - ', '\u2010', '\u2013', '\u2212', '\u3000', '·');

/** A number in one of its usual spellings. */
const spelt = parts.chain((groups) => {
  const [area, ...rest] = groups;
  const withoutZero = area.slice(1);
  return fc
    .record({
      prefix: fc.constantFrom(
        area,
        `(${area})`,
        ...['+82', '82', '0082', '+82 (0)'].map((code) => `${code} ${withoutZero}`),
      ),
      separator,
      isFullWidth: fc.boolean(),
      around: fc.constantFrom('', ' ', '\n', '\u200b', '\u202a'),
    })
    .map(({ prefix, separator: between, isFullWidth, around }) => {
      const text = [prefix, ...rest].join(between);
      const written = isFullWidth ? text.replaceAll(/[!-~]/g, fullWidth) : text;
      return [groups.join(''), around + written + around] as const;
    });
});

function fullWidth(character: string): string {
  return String.fromCodePoint(character.codePointAt(0)! + 0xfee0);
}

it('every usual spelling of a number is parsed as one', () => {
  fc.assert(
    fc.property(spelt, ([canonical, written]) => {
      expect(phoneNumber.parse(written)).toBe(canonical);
      expect(phoneNumber.parse(canonical)).toBe(canonical);
    }),
    { numRuns: 500 },
  );
});

it.for([
  ['+82 10-1234-5678', '01012345678'],
  ['+8201012345678', '01012345678'],
  ['+82 (0)10-1234-5678', '01012345678'],
  ['(+82) 10 1234 5678', '01012345678'],
  ['(010) 1234-5678', '01012345678'],
  ['０１０－１２３４－５６７８', '01012345678'],
  ['001 82 10 1234 5678', '01012345678'],
  // As a spreadsheet leaves it.
  ['1012345678', '01012345678'],
  ['\u202a010-1234-5678\u202c', '01012345678'],
  // A block that the metadata of libphonenumber lack.
  ['+82 10 5980 1234', '01059801234'],
  ['02-123-4567', '021234567'],
  ['011-234-5678', '0112345678'],
] as const)('%s is %s', ([written, canonical]) => {
  expect(phoneNumber.parse(written)).toBe(canonical);
});

/** A number and, after a separator, the end of another one: `02-123-0000~8`. */
const range = fc.oneof(
  fc.tuple(parts, fc.constantFrom('~', '\u301c', '\u3030', '/', '·', '・', '∙', '～', '／', '･'), digits(2)),
  fc.tuple(
    parts,
    fc.constantFrom('~', '\u301c', '/', '·', '∙', '～', '／', '-', '\u2013', '\u2212', '.', ') '),
    digits(1),
  ),
);

it('a range of numbers is not the number that its digits make', () => {
  fc.assert(
    fc.property(range, separator, fc.boolean(), ([groups, between, last], within, isShort) => {
      // The digits of `02-123-456` and `78` make a whole number as well.
      const first = isShort ? groups.join(within).slice(0, -last.length) : groups.join(within);
      expect(canonicalPhoneNumber(`${first}${between}${last}`)).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

it.for([
  ['a range of numbers', '02-123-0000~8'],
  ['a range after a slash', '02-123-4567/8'],
  ['a range after a middle dot', '064-712-3456·7'],
  ['a range after a hyphen', '02-123-4567-8'],
  ['a range after a bracket', '051)123-4567~9'],
  ['a number of zeros', '0000000000'],
  ['a number of another country', '+15551234567'],
  ['a number of Japan', '+81 90-1234-5678'],
  ['a number under 010 that lacks a digit', '010-123-4567'],
  ['a number under 010 with a digit too many', '010123456789'],
  ['a premium-rate number', '060-700-1234'],
  ['a toll-free number', '080-123-4567'],
  ['a service of an area', '031-120-0000-00'],
  ['an unused area code', '0999999999'],
  ['an extension', '010-1234-5678 ext. 1'],
  ['two numbers', '01012345678, 01087654321'],
  ['a service code', '*23#01012345678'],
  ['a letter', '0101234567x'],
  ['a masked digit', '010-1234-****'],
  ['a number after a hyphen', '-01012345678'],
] as const)('%s is refused', ([, text]) => {
  const { error } = phoneNumber.safeParse(text);
  expect(error?.issues[0]).toBeDefined();
});

it.for([
  ['112', 'too_small'],
  ['1588-1234', 'too_small'],
  ['010123412', 'too_small'],
  ['010123412341234123412', 'too_big'],
  ['0101234123x', 'custom'],
] as const)('%s is refused: %s', ([text, code]) => {
  expect(phoneNumber.safeParse(text).error?.issues).toMatchObject([{ code }]);
});

it('whatever is accepted has one form, which dials the same digits', () => {
  const text = fc
    .tuple(
      fc.constantFrom('010', '+8210', '02', '1', '070', '0082', '+1'),
      fc.stringMatching(/^[-0-9 .]{7,10}$/),
    )
    .map((halves) => halves.join(''));
  fc.assert(
    fc.property(text, (written) => {
      const canonical = canonicalPhoneNumber(written);
      if (canonical === undefined) return true;
      const isOneForm = /^0\d{8,11}$/.test(canonical) && canonicalPhoneNumber(canonical) === canonical;
      return isOneForm && written.replaceAll(/\D/g, '').includes(canonical.slice(1));
    }),
  );
});
