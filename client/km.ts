#!/usr/bin/env node
import { runKmCommand } from './command-line/run.ts';

process.exitCode = await runKmCommand(process.argv.slice(2), {
  program: import.meta.url.endsWith('.ts') ? 'npm run km --' : 'km',
  environment: process.env,
  output: process.stdout,
  errors: process.stderr,
  untilStopped: () =>
    new Promise((resolve) => {
      // Not `once`: npm repeats the Ctrl-C that the terminal has already sent.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    }),
});
