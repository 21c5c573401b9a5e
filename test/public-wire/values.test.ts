import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { validateAccountHolder } from '../../wire/bank-account-operations.ts';
import { institutions, isBankCode } from '../../wire/bank-codes.ts';
import { maskAccountNumber, maskName } from '../../wire/masking.ts';
import published from './bank-codes.json' with { type: 'json' };

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

it.for([
  ['김하늘', '김*늘'],
  ['김용', '김*'],
  ['김', '김*'],
  ['', '*'],
  ['남궁하늘', '남**늘'],
  ['정예린'.normalize('NFD'), '정*린'],
  [' 김 용\u200b', '김*용'],
  ['𠮷田葛󠄀', '𠮷*葛󠄀'],
] as const)('masks the name %s as %s', ([name, masked]) => {
  expect(maskName(name)).toBe(masked);
});

it('never shows a whole account number', () => {
  for (let length = 2; length <= 20; length++) {
    const accountNumber = '12345678901234567890'.slice(0, length);
    const masked = maskAccountNumber(accountNumber);
    expect(masked).not.toContain(accountNumber);
    expect(masked.replaceAll('*', '').length).toBeLessThan(length);
  }
});

describe('bank codes', () => {
  it('name the institutions of the published lists', () => {
    const names = (isOfList: (kind: string) => boolean) =>
      Object.fromEntries(
        Object.entries(institutions)
          .filter(([, { kind }]) => isOfList(kind))
          .map(([code, { ko }]) => [code, ko]),
      );
    expect(names((kind) => kind === 'BANK')).toEqual(published.banks);
    expect(names((kind) => kind !== 'BANK')).toEqual(published.others);
    for (const { en } of Object.values(institutions)) expect(en).toMatch(/^[\w &()]+$/);
  });

  it.for(['001', '3', '03', '0003', '', 'toString', '__proto__', '００３'])('do not include %j', (code) => {
    expect(isBankCode(code)).toBe(false);
  });
});

describe('birth dates', () => {
  const { birthDate } = validateAccountHolder.request.shape;

  it.for(['19900131', '20000229', '19960229', '19280228', '20241231'])('%s is valid', (text) => {
    expect(birthDate.safeParse(text).success).toBe(true);
  });

  it.for([
    ['20261126', '2026-11-25T15:00:00Z', true],
    ['20261126', '2026-11-25T14:59:59Z', false],
    ['20271126', '2026-11-26T03:00:00Z', false],
    ['19061126', '2026-11-26T03:00:00Z', true],
    ['19061125', '2026-11-26T03:00:00Z', false],
    ['17000101', '2026-11-26T03:00:00Z', false],
    ['19040229', '2024-02-29T03:00:00Z', true],
  ] as const)('%s at %s: %s', ([text, now, isValid]) => {
    vi.useFakeTimers({ now: new Date(now), toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    expect(birthDate.safeParse(text).success).toBe(isValid);
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
  ])('%s is invalid', (text) => {
    expect(birthDate.safeParse(text).success).toBe(false);
  });
});
