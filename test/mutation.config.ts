import { defineConfig } from 'vitest/config';

/** The tests that `npm run mutation` runs: those of pure decision code, which need no server. */
export default defineConfig({
  test: {
    include: [
      'test/contract/{calling-hours,digits,korean-time,recording}.test.ts',
      'test/database/closed-until.test.ts',
      'test/encryption/key-ring.test.ts',
      'test/payment-gateway/{circuit-breakers,signature}.test.ts',
      'test/public-wire/{tran-time,tran-token,values}.test.ts',
      'test/wire/validation.test.ts',
    ],
  },
});
