const minute = 60 * 1_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Korea is nine hours ahead of UTC, without summer time. */
const offset = 9 * hour;

/** The time of day in Korea, in ms since midnight there. `at`: Unix ms. */
export function timeOfKoreanDay(at: number): number {
  return (at + offset) % day;
}

/** The date in Korea, `yyyy-MM-dd`. `at`: Unix ms. */
export function koreanDate(at: number): string {
  return new Date(at + offset).toISOString().slice(0, 10);
}

/**
 * The next occurrence of a time of day in Korea, in Unix ms; `at` itself if it is exactly that time.
 * @param timeOfDay ms since midnight there.
 */
export function nextKoreanTime(timeOfDay: number, at: number): number {
  return at + ((timeOfDay - timeOfKoreanDay(at) + day) % day);
}

/** Reads `HH:MM-HH:MM` in Korean time into ms since midnight there; undefined for any other form. */
export function parseKoreanHours(text: string): { from: number; until: number } | undefined {
  const time = '([01]\\d|2[0-3]):([0-5]\\d)';
  const [, ...parts] = new RegExp(`^${time}-${time}$`).exec(text) ?? [];
  if (parts.length === 0) return undefined;
  const [fromHour, fromMinute, untilHour, untilMinute] = parts.map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const from = fromHour * hour + fromMinute * minute;
  const until = untilHour * hour + untilMinute * minute;
  return from === until ? undefined : { from, until };
}

/** Writes a time of day in Korea, in ms since midnight there, as `HH:MM`. */
export function formatKoreanTime(timeOfDay: number): string {
  return new Date(timeOfDay).toISOString().slice(11, 16);
}

/** Whether `at`, in Unix ms, lies within a part of the Korean day, which may span midnight. Its end is exclusive. */
export function isWithinKoreanDay(
  part: { readonly from: number; readonly until: number },
  at: number,
): boolean {
  const time = timeOfKoreanDay(at);
  return part.from <= part.until
    ? part.from <= time && time < part.until
    : part.from <= time || time < part.until;
}
