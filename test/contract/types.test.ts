import type { Duration } from '@temporalio/common';
import { expectTypeOf, it } from 'vitest';

it('lets the compiler reject a misspelt duration', () => {
  // `npm run typecheck` makes this check. The compiler finds the types of `ms` only because tsconfig.json maps them; a
  // duration would then silently be `any`.
  expectTypeOf<Duration>().not.toBeAny();
  // @ts-expect-error
  const misspelt: Duration = '1 fortnite';
  expectTypeOf(misspelt).toEqualTypeOf<Duration>();
});
