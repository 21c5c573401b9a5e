/** The longest time a timer takes, in ms; a longer one would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** What a signal of {@link withTimeLimit} is aborted with when the time is over. */
export class TimeLimitReached extends Error {
  override readonly name = 'TimeLimitReached';
}

/**
 * Runs something under a signal that aborts after `milliseconds`, and when `outer` does, with its reason.
 * Not AbortSignal.any over AbortSignal.timeout: Node 20 may collect such a signal as garbage before it fires.
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
  const stop = (): void => controller.abort(new TimeLimitReached('The time is over.'));
  const timer =
    milliseconds === undefined ? undefined : setTimeout(stop, Math.min(milliseconds, longestTimer));
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', pass);
  }
}

/** Waits. Rejects with the signal's reason as soon as it aborts. */
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
