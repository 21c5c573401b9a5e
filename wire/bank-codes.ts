/**
 * The banks whose accounts can be registered, by bank code. Source: the interbank codes of Korea that the platform's
 * documentation uses.
 */
export const banks = {
  '002': 'KDB',
  '003': 'IBK',
  '004': 'Kookmin',
  '007': 'Suhyup',
  '011': 'NH Nonghyup',
  '012': 'Local Nonghyup',
  '020': 'Woori',
  '023': 'SC',
  '027': 'Citi',
  '031': 'iM (Daegu)',
  '032': 'Busan',
  '034': 'Gwangju',
  '035': 'Jeju',
  '037': 'Jeonbuk',
  '039': 'Kyongnam',
  '045': 'Saemaeul',
  '048': 'Shinhyup',
  '071': 'Korea Post',
  '081': 'Hana',
  '088': 'Shinhan',
  '089': 'K bank',
  '090': 'KakaoBank',
  '092': 'Toss Bank',
} as const;

/** The code of a bank, such as `003`. */
export type BankCode = keyof typeof banks;

/** Whether `code` is the code of a known bank. */
export function isBankCode(code: string): code is BankCode {
  return Object.hasOwn(banks, code);
}
