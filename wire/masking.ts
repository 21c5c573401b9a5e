/**
 * Masks an account number for people: `12345678890` becomes `123****890`.
 * Numbers of six characters or fewer show their last character only.
 */
export function maskAccountNumber(accountNumber: string): string {
  if (accountNumber.length <= 6) return `****${accountNumber.slice(-1)}`;
  return `${accountNumber.slice(0, 3)}****${accountNumber.slice(-3)}`;
}

/** Masks a name for people: `김하늘` becomes `김*늘`, and of two characters the second is hidden. */
export function maskName(name: string): string {
  const characters = Array.from(name);
  if (characters.length <= 2) return `${characters[0] ?? ''}*`;
  return `${characters[0]}${'*'.repeat(characters.length - 2)}${characters.at(-1)}`;
}
