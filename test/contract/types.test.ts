import { sleep } from '@temporalio/workflow';
import { expect, it } from 'vitest';

it('takes a misspelt duration for a type error', () => {
  // The types of `ms` are out of the compiler's reach unless tsconfig.json maps them; a duration would then be `any`.
  // @ts-expect-error
  const misspelt = () => sleep('1 fortnite');
  const spelt = () => sleep('1 minute');
  expect([misspelt, spelt]).toHaveLength(2);
});
