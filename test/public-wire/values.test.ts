import { describe, expect, it } from 'vitest';
import { validateAccountHolder } from '../../wire/bank-account-operations.ts';
import { banks, isBankCode } from '../../wire/bank-codes.ts';
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
  /** Which Korean name of the published list our English name stands for. */
  const koreanNames: Readonly<Record<(typeof banks)[keyof typeof banks], string>> = {
    KDB: '산업은행',
    IBK: '기업은행',
    Kookmin: '국민은행',
    Suhyup: '수협은행',
    'NH Nonghyup': '농협은행',
    'Local Nonghyup': '지역농축협',
    Woori: '우리은행',
    SC: '제일은행',
    Citi: '씨티은행',
    'iM (Daegu)': '대구은행',
    Busan: '부산은행',
    Gwangju: '광주은행',
    Jeju: '제주은행',
    Jeonbuk: '전북은행',
    Kyongnam: '경남은행',
    Saemaeul: '새마을금고',
    Shinhyup: '신협',
    'Korea Post': '우체국',
    Hana: '하나은행',
    Shinhan: '신한은행',
    'K bank': '케이뱅크',
    KakaoBank: '카카오뱅크',
    'Toss Bank': '토스뱅크',
  };

  it('name the banks of the published list', () => {
    const ours = Object.entries(banks).map(([code, name]) => [code, koreanNames[name]]);
    expect(Object.fromEntries(ours)).toEqual(published.banks);
  });

  it.for(['001', '3', '03', '0003', '', 'toString', '__proto__', '００３'])('do not include %j', (code) => {
    expect(isBankCode(code)).toBe(false);
  });
});

describe('birth dates', () => {
  const { birthDate } = validateAccountHolder.request.shape;

  it.for(['19900131', '20000229', '19960229', '19000228', '20241231'])('%s is valid', (text) => {
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
  ])('%s is invalid', (text) => {
    expect(birthDate.safeParse(text).success).toBe(false);
  });
});
