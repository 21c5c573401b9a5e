import { charactersOf, normalizeName } from './names.ts';

/**
 * Masks an account number: `12345678890` becomes `123****890`. A number of up to six characters shows only its last one.
 */
export function maskAccountNumber(accountNumber: string): string {
  if (accountNumber.length <= 6) return `****${accountNumber.slice(-1)}`;
  return `${accountNumber.slice(0, 3)}****${accountNumber.slice(-3)}`;
}

/** Masks a name: `김하늘` becomes `김*늘`, and `김용` becomes `김*`. */
export function maskName(name: string): string {
  const characters = charactersOf(normalizeName(name));
  if (characters.length <= 2) return `${characters[0] ?? ''}*`;
  return `${characters[0]}${'*'.repeat(characters.length - 2)}${characters.at(-1)}`;
}
