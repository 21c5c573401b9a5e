import { z } from 'zod';

/** Korea is nine hours ahead of UTC, without summer time. In ms. */
const koreaAhead = 9 * 60 * 60 * 1_000;

/** No living person is older, in years. */
const maxAge = 120;

/** A birth date, `yyyyMMdd`: a calendar date, not later than today in Korea and not more than 120 years ago. */
export const birthDate = z
  .string()
  .length(8)
  .regex(/^\d{8}$/)
  .refine((text) => isCalendarDate(text) && isOfLivingPerson(text));

function isCalendarDate(text: string): boolean {
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6, 8)].map(Number) as [
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isOfLivingPerson(text: string): boolean {
  const today = new Date(Date.now() + koreaAhead).toISOString().slice(0, 10).replaceAll('-', '');
  const earliest = Number(today) - maxAge * 10_000;
  return text <= today && Number(text) >= earliest;
}
