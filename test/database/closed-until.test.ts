import { expect, it } from 'vitest';
import { parseKoreanHours } from '../../contract/korean-time.ts';
import { closedUntil } from '../../database/closed-until.ts';

const at = (text: string) => Date.parse(`${text}+09:00`);
const daily = (hours: string) => ({ daily: parseKoreanHours(hours)! });
const once = (startsAt: string, endsAt: string) => ({
  once: { startsAt: new Date(at(startsAt)), endsAt: new Date(at(endsAt)) },
});
const night = [daily('23:30-00:30'), daily('03:00-03:20'), daily('00:30-00:40')];

it.for([
  ['2026-11-22T23:29:59', undefined],
  ['2026-11-22T23:30:00', '2026-11-23T00:40:00'],
  ['2026-11-23T00:29:59', '2026-11-23T00:40:00'],
  ['2026-11-23T00:40:00', undefined],
  ['2026-11-23T03:10:00', '2026-11-23T03:20:00'],
] as const)('a bank with several windows per night, at %s, is closed until %s', ([now, until]) => {
  expect(closedUntil(night, at(now))).toBe(until && at(until));
});

it('a one-time window is not repeated', () => {
  const windows = [once('2026-12-24T23:00:00', '2026-12-25T02:00:00')];
  expect(closedUntil(windows, at('2026-12-24T22:59:59'))).toBeUndefined();
  for (const time of ['2026-12-24T23:00:00', '2026-12-24T23:30:00']) {
    expect(closedUntil(windows, at(time))).toBe(at('2026-12-25T02:00:00'));
  }
  expect(closedUntil(windows, at('2026-12-25T02:00:00'))).toBeUndefined();
});

it('overlapping windows are merged', () => {
  const windows = [daily('23:30-00:30'), once('2026-12-25T00:10:00', '2026-12-25T05:00:00')];
  expect(closedUntil(windows, at('2026-12-24T23:45:00'))).toBe(at('2026-12-25T05:00:00'));
});

it('of two windows that begin together, the later end counts', () => {
  const windows = [daily('01:00-01:30'), daily('01:00-03:00')];
  expect(closedUntil(windows, at('2026-12-24T01:10:00'))).toBe(at('2026-12-24T03:00:00'));
});

it('adjacent daily windows without a gap end within a day', () => {
  expect(closedUntil([daily('00:00-12:00'), daily('12:00-00:00')], at('2026-11-22T01:00:00'))).toBe(
    at('2026-11-23T00:00:00'),
  );
});
