import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:full` runs these.
    exclude: ['**/node_modules/**', '**/*.full.test.ts'],
    globalSetup: 'test/global-setup.ts',
    pool: 'forks',
    // No test mocks modules, so test files can share them.
    isolate: false,
    // Tests mostly wait for timers and processes, so there may be more workers than cores.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A missing snapshot is a failure, not a reason to write one.
    update: 'none',
  },
});
