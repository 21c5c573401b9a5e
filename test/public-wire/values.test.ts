import { describe, expect, it } from 'vitest';
import { validateAccountHolder } from '../../wire/bank-account-operations.ts';
import { banks, isBankCode } from '../../wire/bank-codes.ts';
import { maskAccountNumber } from '../../wire/masking.ts';

it.for([
  ['12345678890', '123****890'],
  ['1234567', '123****567'],
  ['123456', '****6'],
  ['1', '****1'],
  ['', '****'],
  ['110-123-456789', '110****789'],
] as const)('masks %s as %s', ([accountNumber, masked]) => {
  expect(maskAccountNumber(accountNumber)).toBe(masked);
});

it('never shows the whole of a number', () => {
  for (let length = 2; length <= 20; length++) {
    const accountNumber = '12345678901234567890'.slice(0, length);
    const masked = maskAccountNumber(accountNumber);
    expect(masked).not.toContain(accountNumber);
    expect(masked.replaceAll('*', '').length).toBeLessThan(length);
  }
});

describe('bank codes', () => {
  it('are the documented ones', () => {
    expect(Object.keys(banks).toSorted()).toEqual(
      '002 003 004 007 011 012 020 023 027 031 032 034 035 037 039 045 048 071 081 088 089 090 092'.split(
        ' ',
      ),
    );
  });

  it.for(['001', '3', '03', '0003', '', 'toString', '__proto__', '００３'])('do not include %j', (code) => {
    expect(isBankCode(code)).toBe(false);
  });
});

describe('birth dates', () => {
  const { birthDate } = validateAccountHolder.request.shape;

  it.for(['19900131', '20000229', '19960229', '19000228', '20241231'])('%s is one', (text) => {
    expect(birthDate.safeParse(text).success).toBe(true);
  });

  it.for([
    '19900132',
    '19900431',
    '19000229',
    '20230229',
    '19901301',
    '19900001',
    '19900100',
    '00000000',
    '00990101',
    '1990-1-1',
    '1990013',
    '199001311',
    '１９９００１３１',
  ])('%s is none', (text) => {
    expect(birthDate.safeParse(text).success).toBe(false);
  });
});
