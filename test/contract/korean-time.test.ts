import { expect, it } from 'vitest';
import {
  formatKoreanTime,
  isWithinKoreanDay,
  koreanDate,
  nextKoreanTime,
  parseKoreanHours,
  timeOfKoreanDay,
} from '../../contract/korean-time.ts';

const at = (text: string) => Date.parse(text);
const hour = 3_600_000;

it('reads the clock as in Korea', () => {
  expect(timeOfKoreanDay(at('2026-11-22T00:30:00+09:00'))).toBe(hour / 2);
  expect(koreanDate(at('2026-11-21T15:00:00Z'))).toBe('2026-11-22');
  expect(koreanDate(at('2026-11-21T14:59:59Z'))).toBe('2026-11-21');
});

it.for([
  ['2026-11-22T07:59:59+09:00', '2026-11-22T08:00:00+09:00'],
  ['2026-11-22T08:00:00+09:00', '2026-11-22T08:00:00+09:00'],
  ['2026-11-22T21:00:00+09:00', '2026-11-23T08:00:00+09:00'],
])('after %s, the next eight o’clock is at %s', ([now, next]) => {
  expect(nextKoreanTime(8 * hour, at(now!))).toBe(at(next!));
});

it.for([
  ['08:00-21:00', '07:59:59', false],
  ['08:00-21:00', '08:00:00', true],
  ['08:00-21:00', '20:59:59', true],
  ['08:00-21:00', '21:00:00', false],
  ['23:30-00:30', '23:29:59', false],
  ['23:30-00:30', '23:59:59', true],
  ['23:30-00:30', '00:00:00', true],
  ['23:30-00:30', '00:30:00', false],
] as const)('within %s, at %s: %s', ([hours, time, isInside]) => {
  expect(isWithinKoreanDay(parseKoreanHours(hours)!, at(`2026-11-22T${time}+09:00`))).toBe(isInside);
});

it('parses and formats times of day, and refuses anything else', () => {
  const { from, until } = parseKoreanHours('23:30-00:05')!;
  expect([formatKoreanTime(from), formatKoreanTime(until)]).toEqual(['23:30', '00:05']);
  for (const text of ['', '8:00-21:00', '08:00', '24:00-08:00', '08:60-09:00', '08:00-08:00', 'always']) {
    expect(parseKoreanHours(text)).toBeUndefined();
  }
});
