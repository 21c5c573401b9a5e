import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../sandbox/child-process.ts';

/** How long to wait before a process is restarted that exited by itself or could not start, in ms. */
const restartDelayMs = 500;

/** How many consecutive starts may fail. */
const maxFailedStarts = 60;

/** A process that is restarted whenever it exits. */
export interface SupervisedProcess {
  /** Resolves when it is running. @throws {Error} when it cannot be started */
  waitUntilRunning(): Promise<void>;
  /** Kills it with SIGKILL and restarts it after `downMs`. */
  kill(downMs: number): Promise<void>;
  /** Kills it with SIGKILL. @returns a function that lets it be restarted */
  hold(): Promise<() => void>;
  /** How often it was killed, exited by itself and failed to start, for example while a dependency was down. */
  readonly counts: { kills: number; exits: number; failedStarts: number };
  stop(): Promise<void>;
}

/**
 * Starts a process and keeps it running.
 * @param start starts the process; `generation` counts the starts from 1
 * @param hasStarted whether a child that exited by itself had completed its start; otherwise the start failed
 */
export function supervise(
  start: (generation: number) => Promise<Child>,
  hasStarted: (child: Child) => Promise<boolean> = () => Promise.resolve(true),
): SupervisedProcess {
  const counts = { kills: 0, exits: 0, failedStarts: 0 };
  const state: { current?: Child | undefined; failure?: unknown; isStopping: boolean } = {
    isStopping: false,
  };
  let downUntil = 0;
  let held = Promise.resolve();
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
        if (await hasStarted(child)) counts.exits++;
        else counts.failedStarts++;
      } catch (error) {
        counts.failedStarts++;
        if (++failedStarts < maxFailedStarts) continue;
        state.failure = error;
        return;
      } finally {
        state.current = undefined;
        if (!state.isStopping) {
          await delay(Math.max(restartDelayMs, downUntil - Date.now()));
          await held;
        }
      }
    }
  }

  async function waitUntilRunning(): Promise<void> {
    while (!state.current && !state.isStopping) {
      if (state.failure) throw state.failure;
      await delay(50);
    }
  }

  async function kill(downMs: number): Promise<void> {
    await waitUntilRunning();
    counts.kills++;
    downUntil = Date.now() + downMs;
    await state.current?.kill();
  }

  return {
    counts,
    waitUntilRunning,
    kill,
    async hold() {
      await waitUntilRunning();
      let release!: () => void;
      held = new Promise((resolve) => (release = resolve));
      await kill(0);
      return release;
    },
    async stop() {
      state.isStopping = true;
      await state.current?.kill();
      await running;
    },
  };
}
