#!/usr/bin/env node
import { runKmCommand } from './command-line/run.ts';

let stop = (): void => process.exit();

// The reader of a pipe, such as `head`, may end first.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  stop();
});

process.exitCode = await runKmCommand(process.argv.slice(2), {
  program: import.meta.url.endsWith('.ts') ? 'npm run km --' : 'km',
  environment: process.env,
  output: process.stdout,
  errors: process.stderr,
  untilStopped: () =>
    new Promise((resolve) => {
      stop = resolve;
      // Not `once`: npm repeats the Ctrl-C that the terminal has already sent.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    }),
});
