import type { Log } from './log.ts';
import type { Store, Task, TaskKey } from './store.ts';

/** How long to wait before retrying a task that threw, in ms. */
const retryDelayMs = 1000;

/** Changes to the scheduled tasks within one transaction. */
export interface TaskChanges {
  /** Adds a task, or replaces the one with this key. */
  schedule(key: TaskKey, task: Task): void;
  remove(key: TaskKey): void;
}

/** Runs a task. It must remove or reschedule the task in the transaction that records its effect. */
export type RunTask = (key: TaskKey, task: Task, stopping: AbortSignal) => Promise<void>;

/** Durable tasks that run at a given time and survive a restart. */
export interface TaskScheduler {
  /** Runs `work` in one durable transaction, then sets timers for what it scheduled. */
  commit<T>(work: (tasks: TaskChanges) => T): Promise<T>;
  /** Resolves when the task is removed. Call it before the task is scheduled. */
  finished(key: TaskKey): Promise<void>;
  /** Starts running tasks, including those of an earlier process. */
  start(run: RunTask): void;
  /** Stops timers and waits for running tasks. Unfinished tasks stay on disk. */
  stop(): Promise<void>;
}

export function createTaskScheduler(store: Store, log: Log): TaskScheduler {
  const timers = new Map<string, NodeJS.Timeout>();
  const waiting = new Map<string, () => void>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  let run: RunTask | undefined;

  function arm(key: TaskKey, at: number): void {
    disarm(key);
    if (!run || stopping.signal.aborted) return;
    timers.set(
      name(key),
      setTimeout(() => fire(key), Math.max(0, at - Date.now())),
    );
  }

  function disarm(key: TaskKey): void {
    clearTimeout(timers.get(name(key)));
    timers.delete(name(key));
  }

  function fire(key: TaskKey): void {
    timers.delete(name(key));
    const execution = perform(key);
    running.add(execution);
    void execution.finally(() => running.delete(execution));
  }

  async function perform(key: TaskKey): Promise<void> {
    try {
      const task = store.tasks.get(key);
      if (task) await run?.(key, task, stopping.signal);
    } catch (error) {
      log.error({ error: String(error), about: key[0] }, 'A task failed and will be retried');
      arm(key, Date.now() + retryDelayMs);
    }
  }

  return {
    async commit(work) {
      const changes: { key: TaskKey; at?: number }[] = [];
      const result = await store.transaction(() =>
        work({
          schedule(key, task) {
            store.tasks.putSync(key, task);
            changes.push({ key, at: task.at });
          },
          remove(key) {
            store.tasks.removeSync(key);
            changes.push({ key });
          },
        }),
      );
      for (const { key, at } of changes) {
        if (at !== undefined) {
          arm(key, at);
        } else {
          disarm(key);
          waiting.get(name(key))?.();
          waiting.delete(name(key));
        }
      }
      return result;
    },
    finished(key) {
      return new Promise((resolve) => {
        waiting.set(name(key), resolve);
      });
    },
    start(runTask) {
      run = runTask;
      for (const { key, value } of store.tasks.getRange()) arm(key, value.at);
    },
    async stop() {
      stopping.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      await Promise.all(running);
    },
  };
}

function name(key: TaskKey): string {
  return key.join('\n');
}
