import { z } from 'zod';
import { bankCodes, bankNameOf, currentBankCode, isBankCode } from '../wire/bank-codes.ts';
import type { BankCode } from '../wire/bank-codes.ts';
import { formatKoreanTime, parseKoreanHours } from '../contract/korean-time.ts';
import type { BankWindow } from '../database/bank-windows.ts';
import type { NewBankWindow } from '../database/closed-until.ts';
import { UsageError } from '../command-line/command-line.ts';
import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';
import { Refused } from './refused.ts';
import { operatorCommand } from '../runtime/operator-command.ts';

/** Lists the maintenance windows of the banks. */
export function listBankWindows() {
  return async ({ stores, print }: CommandContext): Promise<void> => {
    const windows = await stores.bankWindows.list();
    if (windows.length === 0) return print('No bank has a maintenance window.');
    for (const window of windows) print(describeWindow(window));
  };
}

/** Adds a maintenance window, daily or once. */
export function addBankWindow(values: OptionValues) {
  const bankCode = readBankCode(values);
  const window = readWindow(values);

  return async ({ act, print }: CommandContext): Promise<void> => {
    const bankWindowId = await act(
      (id: number) => ({ details: { id, bankCode, ...window } }),
      (acting) => acting.bankWindows.add(bankCode, window),
    );
    print(`Added: ${describeWindow({ bankWindowId, bankCode, ...window })}`);
  };
}

/** Removes a maintenance window. */
export function removeBankWindow({ id = '' }: OptionValues) {
  if (!/^[1-9]\d{0,8}$/.test(id)) throw new UsageError('--id must be the number of a window.');

  return async ({ act, print }: CommandContext): Promise<void> => {
    await act({ details: { id: Number(id) } }, async (acting) => {
      if (await acting.bankWindows.remove(Number(id))) return;
      throw new Refused(`There is no window ${id}. See: ${operatorCommand('bank-window list')}`);
    });
    print(`Window ${id} is removed.`);
  };
}

function readBankCode({ bank = '' }: OptionValues): BankCode {
  const code = currentBankCode(bank);
  if (isBankCode(code)) return code;
  throw new UsageError(`--bank must be one of ${bankCodes.join(', ')}.`);
}

function readWindow({ daily, from, until }: OptionValues): NewBankWindow {
  if ((daily === undefined) === (from === undefined && until === undefined)) {
    throw new UsageError('Give either --daily, or --from and --until.');
  }
  if (daily !== undefined) {
    const hours = parseKoreanHours(daily);
    if (!hours) throw new UsageError('--daily must be two times of day as HH:MM-HH:MM, in Korean time.');
    return { daily: hours };
  }
  const [startsAt, endsAt] = [readTime('from', from), readTime('until', until)];
  if (startsAt >= endsAt) throw new UsageError('--from must be before --until.');
  return { once: { startsAt, endsAt } };
}

const timeWithZone = z.union([
  z.iso.datetime({ offset: true }),
  // A time without seconds, which the first schema rejects.
  z.iso.datetime({ offset: true, precision: -1 }),
]);

function readTime(name: string, text = ''): Date {
  if (timeWithZone.safeParse(text).success) return new Date(text);
  throw new UsageError(`--${name} must be a time with its zone, such as 2026-12-24T23:00+09:00.`);
}

function describeWindow({ bankWindowId, bankCode, ...window }: BankWindow): string {
  const bank = `${bankCode} ${bankNameOf(bankCode)}`;
  return `${bankWindowId}: ${bank} ${describeTimes(window)}`;
}

function describeTimes(window: NewBankWindow): string {
  if ('daily' in window) {
    const { from, until } = window.daily;
    return `daily ${formatKoreanTime(from)}-${formatKoreanTime(until)} in Korea`;
  }
  return `from ${window.once.startsAt.toISOString()} until ${window.once.endsAt.toISOString()}`;
}
