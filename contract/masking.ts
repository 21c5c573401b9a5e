/**
 * Masks an account number for people: `12345678890` becomes `123****890`.
 * Numbers of six characters or fewer show their last character only.
 */
export function maskAccountNumber(accountNumber: string): string {
  if (accountNumber.length <= 6) return `****${accountNumber.slice(-1)}`;
  return `${accountNumber.slice(0, 3)}****${accountNumber.slice(-3)}`;
}
