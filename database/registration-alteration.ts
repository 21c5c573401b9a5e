import { asc, inArray } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { recordColumns } from './locked-registration.ts';
import type { RegistrationRecord } from './locked-registration.ts';
import type { RowSealer } from './row-seals.ts';
import { accounts, legalHolds, registrations } from './schema.ts';

/** A registration with the rows that decide how long its evidence is kept. */
export interface WithRetention {
  readonly registration: RegistrationRecord;
  readonly account: typeof accounts.$inferSelect | undefined;
  readonly holds: readonly (typeof legalHolds.$inferSelect)[];
}

/** How far the time in a number and that of its row may be apart, in ms: they come from two clocks. */
const clockDifference = 60 * 60 * 1_000;

/** What was altered about a registration, its account or its legal holds; undefined if nothing was. */
export function alterationOf(
  sealer: RowSealer,
  { registration, account, holds }: WithRetention,
): string | undefined {
  const { registrationNumber, createdAt, status, legalHolds: holdCount } = registration;
  if (!sealer.isAuthentic('registrations', registration)) return 'the registration was altered';
  if (Math.abs(createdAt.getTime() - timeIn(registrationNumber)) > clockDifference)
    return 'the time in its number is not that of its row';
  if (account && !sealer.isAuthentic('accounts', account)) return 'its account was altered';
  if ((status === 'BANK_ACC_REGISTERED') !== (account !== undefined))
    return account ? 'it has an account, but is not registered' : 'its account is gone';
  if (holds.some((hold) => !sealer.isAuthentic('legalHolds', hold))) return 'a legal hold of it was altered';
  return holds.length === holdCount ? undefined : 'its legal holds are not those it had';
}

/** When a number was made, in Unix ms; it begins with `yyMMddHHmmss` in UTC. */
function timeIn(registrationNumber: string): number {
  const [year, ...rest] = registrationNumber.slice(0, 12).match(/../g) ?? [];
  const [month, day, hour, minute, second] = rest;
  return Date.parse(`20${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/**
 * Locks registrations against every change, and looks whether somebody has altered what decides about their evidence.
 * @returns the registrations in the order of the locks; `alteration`: see {@link alterationOf}
 */
export async function lockWithRetention(
  transaction: Queries,
  sealer: RowSealer,
  which: SQL | undefined,
  limit?: number,
): Promise<(WithRetention & { readonly alteration: string | undefined })[]> {
  const locking = transaction
    .select(recordColumns)
    .from(registrations)
    .where(which)
    // One order for all: two at once must not wait for each other.
    .orderBy(asc(registrations.endedAt), asc(registrations.registrationNumber))
    .for('no key update');
  const locked = await (limit === undefined ? locking : locking.limit(limit));
  if (locked.length === 0) return [];
  const numbers = locked.map(({ registrationNumber }) => registrationNumber);
  const ofThem = await transaction
    .select()
    .from(accounts)
    .where(inArray(accounts.registrationNumber, numbers));
  const allHolds = await transaction
    .select()
    .from(legalHolds)
    .where(inArray(legalHolds.registrationNumber, numbers));
  return locked.map((registration) => {
    const isOfIt = (row: { readonly registrationNumber: string }) =>
      row.registrationNumber === registration.registrationNumber;
    const found = { registration, account: ofThem.find(isOfIt), holds: allHolds.filter(isOfIt) };
    return { ...found, alteration: alterationOf(sealer, found) };
  });
}
