import { expect, it } from 'vitest';
import { outsideCallingHours } from '../../contract/calling-hours.ts';
import { parseKoreanHours } from '../../contract/korean-time.ts';

const hours = parseKoreanHours('08:00-21:00');
const at = (time: string) => Date.parse(`${time}+09:00`);

it.for(['2026-11-22T08:00:00', '2026-11-22T20:59:59'])('members may be called at %s', (time) => {
  expect(outsideCallingHours(hours, at(time))).toBeUndefined();
});

it.for([
  ['2026-11-22T07:59:59', '2026-11-22T08:00:00'],
  ['2026-11-22T21:00:00', '2026-11-23T08:00:00'],
])('members may not be called at %s until %s', ([now, until]) => {
  expect(outsideCallingHours(hours, at(now!))).toEqual({
    state: 'POSTPONED',
    reason: 'OUTSIDE_CALLING_HOURS',
    until: at(until!),
  });
});

it('members may always be called where there are no hours', () => {
  expect(outsideCallingHours(undefined, at('2026-11-22T03:00:00'))).toBeUndefined();
});
