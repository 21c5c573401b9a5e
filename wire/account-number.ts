import { z } from 'zod';

/** The maximum length of an account number, in digits. */
const maxDigits = 20;

/** Groups of digits with white space, a hyphen or a dash between them. */
const spelling = /^\d+(?:(?:\s+|\s*[\p{Pd}\u2212]\s*)\d+)*$/u;

/** An account number. Parsing gives it its one form: digits only. */
export const accountNumber = z
  .string()
  .overwrite((text) => (spelling.test(foldWidth(text)) ? digitsOf(text) : text))
  .superRefine((text, context) => {
    if (!/^\d+$/.test(text)) context.addIssue({ code: 'custom', message: 'Invalid account number' });
    else if (text.length > maxDigits)
      context.addIssue({ code: 'too_big', origin: 'string', maximum: maxDigits, inclusive: true });
  });

/** The digits of a number, whatever stands between them. Full-width digits become ASCII. */
export function digitsOf(number: string): string {
  return foldWidth(number).replaceAll(/\D/g, '');
}

/** Full-width digits as ASCII ones, without format characters and white space around them. */
function foldWidth(text: string): string {
  return text
    .replaceAll(/[\uFF10-\uFF19]/g, (digit) => digit.normalize('NFKC'))
    .replaceAll(/\p{Cf}/gu, '')
    .trim();
}
