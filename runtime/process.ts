/** Resolves when the process is asked to stop, by Ctrl-C or by SIGTERM; a second request ends it at once. */
export function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = () => {
      if (asked) process.exit(1);
      asked = true;
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}

/** Runs a program: an error that ends it is said on one line for people, with its stack unless it explains itself. */
export function runMain(main: () => Promise<void>): void {
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
