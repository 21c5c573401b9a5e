/** The digits of a phone or account number, which may be written with or without hyphens. */
export function digitsOf(number: string): string {
  return number.replaceAll(/\D/g, '');
}
