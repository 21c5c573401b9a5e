import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { z } from 'zod';

/** Kinds of numbers at which a member answers. Not: premium-rate, toll-free and company numbers, pagers. */
const personal: readonly (string | undefined)[] = ['MOBILE', 'FIXED_LINE', 'VOIP', 'PERSONAL_NUMBER'];

/** Digits with the separators in use; an opening parenthesis and a plus sign may come first. */
const spelling = /^[\s(+]*\d(?:[\d\s().·・∙~/[\]\p{Pd}\u2212]*\d)?$/u;

/** A range such as `02-123-0000~8`: two lines, whose digits together would be the number of somebody else. */
const range = /[^\d\s]\s*\d$|[~\u301C\u3030/·・∙]\s*\d\d$/u;

/** The documented length of the text, in characters. */
const [minLength, maxLength] = [10, 20];

/** A phone number at which a member in Korea can be called. Parsing gives it its one form, `01012341234`. */
export const phoneNumber = z.string().transform((text, context): string => {
  const canonical = canonicalPhoneNumber(text);
  if (canonical !== undefined) return canonical;
  const bound = { origin: 'string', inclusive: true, input: text } as const;
  if (text.length < minLength) context.issues.push({ ...bound, code: 'too_small', minimum: minLength });
  else if (text.length > maxLength) context.issues.push({ ...bound, code: 'too_big', maximum: maxLength });
  else context.issues.push({ code: 'custom', input: text });
  return z.NEVER;
});

/** Whether two spellings are those of one phone number that can be called in Korea. */
export function isSamePhoneNumber(one: string, other: string): boolean {
  const canonical = canonicalPhoneNumber(one);
  return canonical !== undefined && canonical === canonicalPhoneNumber(other);
}

/** The one form of a phone number, as dialled within Korea. Undefined for what cannot be called there. */
export function canonicalPhoneNumber(text: string): string | undefined {
  const written = text
    .normalize('NFKC')
    .replaceAll(/\p{Cf}/gu, '')
    .trim();
  if (!spelling.test(written) || range.test(written)) return undefined;
  // From abroad, `00` stands for the plus sign; 008 would be a Korean carrier.
  const compact = written.replaceAll(/[^\d+]/g, '').replace(/^00(?=82)/, '+');
  const number = parsePhoneNumberFromString(compact, { defaultCountry: 'KR', extract: false });
  if (number?.country !== 'KR') return undefined;
  const canonical = `0${number.nationalNumber}`;
  // The metadata lag behind the blocks in use, but every number under 010 has eight more digits.
  const isCallable = canonical.startsWith('010')
    ? /^010\d{8}$/.test(canonical)
    : personal.includes(number.getType()) && canonical.length >= 9;
  return isCallable ? canonical : undefined;
}
