/** A financial institution. */
interface Institution {
  readonly ko: string;
  readonly en: string;
  /** Accounts of another kind are accepted only for projects that are set so. */
  readonly kind: 'BANK' | 'SAVINGS_BANKS' | 'FORESTRY' | 'SECURITIES';
}

/**
 * The institutions whose accounts can be registered, by bank code. Sources: the interbank codes of Korea that the
 * platform's documentation uses; for those that are no banks, the lists of institutions of PortOne
 * (github.com/portone-io/mcp-server, platform_supported_bank_codes.md, July 2025) and of a payment service
 * (github.com/dydgh499/orangevery, useStore.ts), which has their codes.
 */
export const institutions = {
  '002': { ko: '산업은행', en: 'KDB', kind: 'BANK' },
  '003': { ko: '기업은행', en: 'IBK', kind: 'BANK' },
  '004': { ko: '국민은행', en: 'Kookmin', kind: 'BANK' },
  '007': { ko: '수협은행', en: 'Suhyup', kind: 'BANK' },
  '011': { ko: '농협은행', en: 'NH Nonghyup', kind: 'BANK' },
  '012': { ko: '지역농축협', en: 'Local Nonghyup', kind: 'BANK' },
  '020': { ko: '우리은행', en: 'Woori', kind: 'BANK' },
  '023': { ko: '제일은행', en: 'SC', kind: 'BANK' },
  '027': { ko: '씨티은행', en: 'Citi', kind: 'BANK' },
  '031': { ko: '대구은행', en: 'iM (Daegu)', kind: 'BANK' },
  '032': { ko: '부산은행', en: 'Busan', kind: 'BANK' },
  '034': { ko: '광주은행', en: 'Gwangju', kind: 'BANK' },
  '035': { ko: '제주은행', en: 'Jeju', kind: 'BANK' },
  '037': { ko: '전북은행', en: 'Jeonbuk', kind: 'BANK' },
  '039': { ko: '경남은행', en: 'Kyongnam', kind: 'BANK' },
  '045': { ko: '새마을금고', en: 'Saemaeul', kind: 'BANK' },
  '048': { ko: '신협', en: 'Shinhyup', kind: 'BANK' },
  '050': { ko: '저축은행', en: 'Savings banks', kind: 'SAVINGS_BANKS' },
  '064': { ko: '산림조합', en: 'Forestry cooperatives', kind: 'FORESTRY' },
  '071': { ko: '우체국', en: 'Korea Post', kind: 'BANK' },
  '081': { ko: '하나은행', en: 'Hana', kind: 'BANK' },
  '088': { ko: '신한은행', en: 'Shinhan', kind: 'BANK' },
  '089': { ko: '케이뱅크', en: 'K bank', kind: 'BANK' },
  '090': { ko: '카카오뱅크', en: 'KakaoBank', kind: 'BANK' },
  '092': { ko: '토스뱅크', en: 'Toss Bank', kind: 'BANK' },
  '209': { ko: '유안타증권', en: 'Yuanta Securities', kind: 'SECURITIES' },
  '218': { ko: 'KB증권', en: 'KB Securities', kind: 'SECURITIES' },
  '221': { ko: '상상인증권', en: 'Sangsangin Securities', kind: 'SECURITIES' },
  '222': { ko: '한양증권', en: 'Hanyang Securities', kind: 'SECURITIES' },
  '223': { ko: '리딩투자증권', en: 'Leading Investment & Securities', kind: 'SECURITIES' },
  '224': { ko: 'BNK투자증권', en: 'BNK Securities', kind: 'SECURITIES' },
  '225': { ko: 'IBK투자증권', en: 'IBK Securities', kind: 'SECURITIES' },
  '227': { ko: '다올투자증권', en: 'Daol Investment & Securities', kind: 'SECURITIES' },
  '238': { ko: '미래에셋증권', en: 'Mirae Asset Securities', kind: 'SECURITIES' },
  '240': { ko: '삼성증권', en: 'Samsung Securities', kind: 'SECURITIES' },
  '243': { ko: '한국투자증권', en: 'Korea Investment & Securities', kind: 'SECURITIES' },
  '247': { ko: 'NH투자증권', en: 'NH Investment & Securities', kind: 'SECURITIES' },
  '261': { ko: '교보증권', en: 'Kyobo Securities', kind: 'SECURITIES' },
  '262': { ko: '하이투자증권', en: 'Hi Investment & Securities', kind: 'SECURITIES' },
  '263': { ko: '현대차증권', en: 'Hyundai Motor Securities', kind: 'SECURITIES' },
  '264': { ko: '키움증권', en: 'Kiwoom Securities', kind: 'SECURITIES' },
  '265': { ko: 'LS증권', en: 'LS Securities', kind: 'SECURITIES' },
  '266': { ko: 'SK증권', en: 'SK Securities', kind: 'SECURITIES' },
  '267': { ko: '대신증권', en: 'Daishin Securities', kind: 'SECURITIES' },
  '269': { ko: '한화투자증권', en: 'Hanwha Investment & Securities', kind: 'SECURITIES' },
  '270': { ko: '하나증권', en: 'Hana Securities', kind: 'SECURITIES' },
  '271': { ko: '토스증권', en: 'Toss Securities', kind: 'SECURITIES' },
  '278': { ko: '신한투자증권', en: 'Shinhan Investment & Securities', kind: 'SECURITIES' },
  '279': { ko: 'DB금융투자', en: 'DB Financial Investment', kind: 'SECURITIES' },
  '280': { ko: '유진투자증권', en: 'Eugene Investment & Securities', kind: 'SECURITIES' },
  '287': { ko: '메리츠증권', en: 'Meritz Securities', kind: 'SECURITIES' },
  '288': { ko: '카카오페이증권', en: 'Kakao Pay Securities', kind: 'SECURITIES' },
  '290': { ko: '부국증권', en: 'Bookook Securities', kind: 'SECURITIES' },
  '291': { ko: '신영증권', en: 'Shinyoung Securities', kind: 'SECURITIES' },
  '292': { ko: '케이프투자증권', en: 'Cape Investment & Securities', kind: 'SECURITIES' },
  '294': { ko: '한국포스증권', en: 'Korea Foss Securities', kind: 'SECURITIES' },
} as const satisfies Record<string, Institution>;

/** The code of an institution, such as `003`. */
export type BankCode = keyof typeof institutions;

/** All bank codes in ascending order. */
export const bankCodes = (Object.keys(institutions) as BankCode[]).toSorted();

/** Codes from before a merger, which the platform's own test members have, and the codes that replaced them. */
const replacedCodes: Readonly<Record<string, BankCode>> = { '005': '081', '010': '011', '021': '088' };

/** The code in use for a code that a merger replaced; any other code itself. */
export function currentBankCode(code: string): string {
  return Object.hasOwn(replacedCodes, code) ? replacedCodes[code]! : code;
}

/** Whether `code` is the code in use of a known institution. */
export function isBankCode(code: string): code is BankCode {
  return Object.hasOwn(institutions, code);
}

/** The English name of an institution; its code if it is not known. */
export function bankNameOf(code: string): string {
  return isBankCode(code) ? institutions[code].en : code;
}
