import { asc, eq } from 'drizzle-orm';
import type { BankCode } from '../wire/bank-codes.ts';
import { closedUntil } from './closed-until.ts';
import type { NewBankWindow } from './closed-until.ts';
import type { Queries } from './database.ts';
import type { RowSealer, RowSeals } from './row-seals.ts';
import { bankWindows } from './schema.ts';

/** A bank's maintenance window. */
export type BankWindow = NewBankWindow & { readonly bankWindowId: number; readonly bankCode: string };

/** The window that a row holds. Does not check its seal. */
export function toBankWindow(row: typeof bankWindows.$inferSelect): BankWindow {
  const { bankWindowId, bankCode, dailyFrom, dailyUntil, startsAt, endsAt } = row;
  const window = { bankWindowId, bankCode };
  if (dailyFrom !== null && dailyUntil !== null)
    return { ...window, daily: { from: dailyFrom, until: dailyUntil } };
  return { ...window, once: { startsAt: startsAt!, endsAt: endsAt! } };
}

/** The maintenance windows of the banks. */
export function createBankWindows(queries: Queries, rowSeals: RowSeals) {
  async function list(bankCode?: string): Promise<BankWindow[]> {
    const rows = await queries
      .select()
      .from(bankWindows)
      .where(bankCode === undefined ? undefined : eq(bankWindows.bankCode, bankCode))
      .orderBy(asc(bankWindows.bankCode), asc(bankWindows.bankWindowId));
    return (await rowSeals.authentic('bankWindows', rows)).map(toBankWindow);
  }

  return {
    /** The windows of one bank, or of all. @throws {AlteredRow} */
    list,

    /** The IDs of the windows that somebody has altered. */
    async findAltered(sealer: RowSealer): Promise<number[]> {
      const rows = await queries.select().from(bankWindows);
      return rows
        .filter((row) => !sealer.isAuthentic('bankWindows', row))
        .map(({ bankWindowId }) => bankWindowId);
    },

    /** Adds a window. @returns its ID */
    async add(bankCode: BankCode, window: NewBankWindow): Promise<number> {
      const times =
        'daily' in window ? { dailyFrom: window.daily.from, dailyUntil: window.daily.until } : window.once;
      const none = { dailyFrom: null, dailyUntil: null, startsAt: null, endsAt: null };
      const added = { ...none, bankCode, ...times };
      const seal = (await rowSeals.open()).seal('bankWindows', added);
      const [row] = await queries
        .insert(bankWindows)
        .values({ ...added, seal })
        .returning({ bankWindowId: bankWindows.bankWindowId });
      return row!.bankWindowId;
    },

    /** Removes a window. @returns whether there was one */
    async remove(bankWindowId: number): Promise<boolean> {
      const removed = await queries
        .delete(bankWindows)
        .where(eq(bankWindows.bankWindowId, bankWindowId))
        .returning({ bankWindowId: bankWindows.bankWindowId });
      return removed.length > 0;
    },

    /** Until when the bank is closed, in Unix ms; undefined when it is open. `at`: Unix ms. */
    async closedUntil(bankCode: string, at: number): Promise<number | undefined> {
      return closedUntil(await list(bankCode), at);
    },
  };
}
