import { expect, test } from 'vitest';
import { alignColumns } from '../../operator/table.ts';

test('aligns the column after Korean names, whose characters are two columns wide', () => {
  expect(
    alignColumns([
      ['operator', 'reason'],
      ['김하늘', '소송'],
      ['kim', 'lawsuit'],
    ]),
  ).toEqual(['operator  reason', '김하늘    소송', 'kim       lawsuit']);
});
