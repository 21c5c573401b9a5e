import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from './log.ts';
import { isTransient } from './transient-errors.ts';

/** How long until the next attempt, in ms. */
const pause = 2_000;

/**
 * Waits for a dependency at the start of a process, and logs what it waits for.
 * @param dependency its name, for the log
 * @throws what `attempt` throws, unless it means that the dependency is unavailable
 */
export async function untilAvailable<Result>(
  dependency: string,
  log: Log,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error)) throw error;
      log.warn({ err: error }, `waiting for ${dependency}, which does not answer`);
    }
    await delay(pause);
  }
}
