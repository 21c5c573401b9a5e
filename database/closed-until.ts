import { isWithinKoreanDay, nextKoreanTime } from '../contract/korean-time.ts';

/** When a bank is closed: every day, in ms since midnight in Korea, or once. */
export type NewBankWindow =
  | { readonly daily: { readonly from: number; readonly until: number } }
  | { readonly once: { readonly startsAt: Date; readonly endsAt: Date } };

/** Until when windows close a bank, in Unix ms. Adjoining windows count as one. */
export function closedUntil(windows: readonly NewBankWindow[], at: number): number | undefined {
  const ends = windows.filter((window) => isWithin(window, at)).map((window) => endOf(window, at));
  if (ends.length === 0) return undefined;
  const end = Math.max(...ends);
  // Daily windows without a gap would never end, so each counts once.
  return (
    closedUntil(
      windows.filter((window) => !isWithin(window, at)),
      end,
    ) ?? end
  );
}

/** Whether a window closes its bank at `at`, in Unix ms. */
export function isWithin(window: NewBankWindow, at: number): boolean {
  if ('daily' in window) return isWithinKoreanDay(window.daily, at);
  return window.once.startsAt.getTime() <= at && at < window.once.endsAt.getTime();
}

function endOf(window: NewBankWindow, at: number): number {
  return 'daily' in window ? nextKoreanTime(window.daily.until, at) : window.once.endsAt.getTime();
}
