/** The maximum delay of a timer, in ms. A longer one would fire at once. */
const maxTimerDelay = 2 ** 31 - 1;

/** The abort reason of {@link withTimeLimit} when the time limit is reached. */
export class TimeLimitReached extends Error {
  override readonly name = 'TimeLimitReached';
}

/**
 * Runs a function with a signal that aborts after `milliseconds`, or when `outer` aborts.
 * Not AbortSignal.any with AbortSignal.timeout: Node 20 may garbage-collect such a signal before it fires.
 */
export async function withTimeLimit<Result>(
  milliseconds: number | undefined,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const pass = (): void => controller.abort(outer?.reason);
  outer?.addEventListener('abort', pass, { once: true });
  const stop = (): void => controller.abort(new TimeLimitReached('The time limit is reached.'));
  const timer =
    milliseconds === undefined ? undefined : setTimeout(stop, Math.min(milliseconds, maxTimerDelay));
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', pass);
  }
}

/** Waits, and rejects with the signal's reason when it aborts. */
export async function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}
