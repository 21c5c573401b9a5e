/** A signal repeated within this time counts as the same one, in ms. */
const repeatWindowMs = 1_000;

/** Requests to stop, received as signals. */
export interface StopSignals {
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP: stop gracefully. */
  readonly stop: AbortSignal;
  /** Aborts on the second one: kill everything. */
  readonly kill: AbortSignal;
  /** Restores the signals' default handling. */
  release(): void;
}

/** Handles this process's SIGINT, SIGTERM and SIGHUP. */
export function stopSignals(): StopSignals {
  const stop = new AbortController();
  const kill = new AbortController();
  let firstAt: number | undefined;
  const receive = (): void => {
    if (firstAt === undefined) {
      firstAt = Date.now();
      stop.abort(new Error('Stopped by a signal.'));
    } else if (Date.now() - firstAt > repeatWindowMs) {
      // An earlier repetition is npm forwarding the Ctrl-C that the terminal has already sent to the whole group.
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
