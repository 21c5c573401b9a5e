import { defineConfig } from 'vitest/config';
import base from '../vitest.config.ts';

/** What `npm run test:full` runs: tests that take minutes. */
export default defineConfig({
  test: { ...base.test, include: ['test/**/*.full.test.ts'], exclude: ['**/node_modules/**'] },
});
