/** Milliseconds within which a repeated signal is taken for the same one. */
const sameSignal = 1_000;

/** The wishes of whoever runs the sandbox, told by signals. */
export interface StopSignals {
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP: stop in order. */
  readonly stop: AbortSignal;
  /** Aborts at the second one: stop at once. */
  readonly kill: AbortSignal;
  /** Gives the signals their usual effect back. */
  release(): void;
}

/** Takes over this process's SIGINT, SIGTERM and SIGHUP. */
export function stopSignals(): StopSignals {
  const stop = new AbortController();
  const kill = new AbortController();
  let firstAt: number | undefined;
  const receive = (): void => {
    if (firstAt === undefined) {
      firstAt = Date.now();
      stop.abort(new Error('Stopped by a signal.'));
    } else if (Date.now() - firstAt > sameSignal) {
      // Until then it is npm passing on the Ctrl-C that the terminal has already sent to the whole group.
      kill.abort();
    }
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, receive);
  return {
    stop: stop.signal,
    kill: kill.signal,
    release() {
      for (const name of names) process.off(name, receive);
    },
  };
}
