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
  /** How often it was killed, ended by itself, and could not be started, as while what it needs is down. */
  readonly counts: { kills: number; exits: number; failedStarts: number };
  stop(): Promise<void>;
}

/**
 * Starts a process and keeps it running.
 * @param start is told which start it is, from 1.
 * @param hasBegun whether a child that has ended by itself had got as far as its work; before that it failed to start.
 */
export function supervise(
  start: (generation: number) => Promise<Child>,
  hasBegun: (child: Child) => Promise<boolean> = () => Promise.resolve(true),
): SupervisedProcess {
  const counts = { kills: 0, exits: 0, failedStarts: 0 };
  const state: { current?: Child | undefined; failure?: unknown; isStopping: boolean } = {
    isStopping: false,
  };
  let downUntil = 0;
  const running = keepRunning();

  async function keepRunning(): Promise<void> {
    let failedStarts = 0;
    for (let generation = 1; !state.isStopping; generation++) {
      try {
        const child = await start(generation);
        state.current = child;
        failedStarts = 0;
        if (state.isStopping) await child.kill();
        const { kills } = counts;
        await child.exited;
        if (state.isStopping || counts.kills > kills) continue;
        if (await hasBegun(child)) counts.exits++;
        else counts.failedStarts++;
      } catch (error) {
        counts.failedStarts++;
        if (++failedStarts < mostFailedStarts) continue;
        state.failure = error;
        return;
      } finally {
        state.current = undefined;
        if (!state.isStopping) await delay(Math.max(restartPause, downUntil - Date.now()));
      }
    }
  }

  async function up(): Promise<void> {
    while (!state.current && !state.isStopping) {
      if (state.failure) throw state.failure;
      await delay(50);
    }
  }

  return {
    counts,
    up,
    async kill(downFor) {
      await up();
      counts.kills++;
      downUntil = Date.now() + downFor;
      await state.current?.kill();
    },
    async stop() {
      state.isStopping = true;
      await state.current?.kill();
      await running;
    },
  };
}
