import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:full` runs these.
    exclude: ['**/node_modules/**', '**/*.full.test.ts'],
    globalSetup: 'test/global-setup.ts',
    pool: 'forks',
    // What is tested is reached by its front door and mocked nowhere, so a module may be loaded once for many files.
    isolate: false,
    // Most of the time a test waits for a timer or a process of its own, so there may be more of them than cores.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A missing snapshot is a failure, not a reason to write one.
    update: 'none',
  },
});
