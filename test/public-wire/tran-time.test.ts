import { expect, it } from 'vitest';
import { isTimeZone, parseTranTime, timeOfTranToken } from '../../wire/tran-time.ts';

it.for([
  ['UTC', 0],
  ['GMT', 0],
  ['ICT', 7],
  ['WIB', 7],
  ['SGT', 8],
  ['HKT', 8],
  ['PHT', 8],
  ['KST', 9],
  ['JST', 9],
] as const)('%s is %d hours ahead of UTC', ([zone, hours]) => {
  expect(isTimeZone(zone)).toBe(true);
  const time = Date.UTC(2026, 10, 22, 9, 30, 15) - hours * 3_600_000;
  expect(parseTranTime('20261122093015', zone)).toBe(time);
  expect(parseTranTime('20261122093015007', zone)).toBe(time + 7);
});

it.for(['', 'utc', 'XYZ', 'toString'])('%j is not a time zone', (zone) => {
  expect(isTimeZone(zone)).toBe(false);
});

it.for([
  '2026112209301',
  '202611220930151',
  '120261122093015',
  '2026112209301x',
  '20260230093015',
  '20261322093015',
  '20261122243015',
  '20261122096015',
])('%s is not a time', (text) => {
  expect(parseTranTime(text, 'UTC')).toBeUndefined();
});

it('a time in an unknown zone is not a time', () => {
  expect(parseTranTime('20261122093015', 'XYZ')).toBeUndefined();
});

it('a transaction token contains its time', () => {
  expect(timeOfTranToken('KMV1:20261122093015123:mac')).toBe('20261122093015123');
});
