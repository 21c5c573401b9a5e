import { defineConfig } from 'vitest/config';

/** The tests that `npm run mutation` runs: those of pure decision code, which need no server. */
export default defineConfig({
  test: {
    include: [
      'test/contract/{calling-hours,korean-time,recording}.test.ts',
      'test/database/bank-windows.test.ts',
      'test/public-wire/{tran-time,values}.test.ts',
      'test/wire/validation.test.ts',
    ],
  },
});
