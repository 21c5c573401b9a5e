import { keepMemoryOutOfCoreDumps } from './core-dumps.ts';

/** A signal repeated within this time counts as the same one, in ms: a terminal and npm both send Ctrl-C to the process. */
const repeatWindow = 1_000;

/** Resolves on the first SIGINT (Ctrl-C) or SIGTERM. A later one exits at once with code 1. */
export function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const stop = () => {
      askedAt ??= performance.now();
      if (performance.now() - askedAt > repeatWindow) process.exit(1);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}

/** Runs a program and exits: with 0, or with 1 and the error on stderr, a ConfigurationError without its stack. */
export function runMain(main: () => Promise<void>): void {
  keepMemoryOutOfCoreDumps();
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      const explained = error instanceof Error && error.name === 'ConfigurationError';
      process.stderr.write(
        `${explained ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
      );
      process.exit(1);
    },
  );
}
