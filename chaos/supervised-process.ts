import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../sandbox/child-process.ts';

/** How long to wait before something that ended by itself or could not be started is started again, in ms. */
const restartPause = 500;

/** How often a start may fail in a row. */
const mostFailedStarts = 60;

/** A process that is started again whenever it ends, as any supervisor does. */
export interface SupervisedProcess {
  /** Resolves when it runs, for the first time or again. @throws {Error} when it cannot be started */
  up(): Promise<void>;
  /** Kills it by SIGKILL, and keeps it down for so many ms. */
  kill(downFor: number): Promise<void>;
  /** How often it was killed, and how often it ended by itself or failed to start. */
  readonly counts: { kills: number; exits: number };
  stop(): Promise<void>;
}

/** Starts a process and keeps it running. `start` is told which start it is, from 1. */
export function supervise(start: (generation: number) => Promise<Child>): SupervisedProcess {
  const counts = { kills: 0, exits: 0 };
  let current: Child | undefined;
  let downUntil = 0;
  let isStopping = false;
  let failure: Error | undefined;
  const running = keepRunning();

  async function keepRunning(): Promise<void> {
    let failedStarts = 0;
    for (let generation = 1; !isStopping; generation++) {
      try {
        current = await start(generation);
        failedStarts = 0;
        const kills = counts.kills;
        await current.exited;
        if (!isStopping && counts.kills === kills) counts.exits++;
      } catch (error) {
        counts.exits++;
        failedStarts++;
        if (failedStarts >= mostFailedStarts) {
          failure = error instanceof Error ? error : new Error(String(error));
          return;
        }
      }
      current = undefined;
      if (!isStopping) await delay(Math.max(restartPause, downUntil - Date.now()));
    }
  }

  async function up(): Promise<void> {
    while (!current && !failure && !isStopping) await delay(50);
    if (failure) throw failure;
  }

  return {
    counts,
    up,
    async kill(downFor) {
      await up();
      counts.kills++;
      downUntil = Date.now() + downFor;
      await current?.kill();
    },
    async stop() {
      isStopping = true;
      await current?.kill();
      await running;
      await current?.kill();
    },
  };
}
