import { randomBytes } from 'node:crypto';
import { tranTimeOf } from '../../encryption/tran-token.ts';

/** 32 characters, without I, O, 0 and 1: one random byte selects each of them equally often. */
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** Creates a registration number of 22 characters: `yyMMddHHmmss` in UTC and 50 random bits. */
export function createRegistrationNumber(now: Date): string {
  const time = tranTimeOf(now).slice(2);
  return time + Array.from(randomBytes(10), (byte) => alphabet[byte % alphabet.length]).join('');
}
