import type { Log } from './log.ts';
import type { Store, Task, TaskKey } from './store.ts';

/** Milliseconds until a task that threw is tried again. */
const retryAfter = 1000;

/** Changes to the agenda within one transaction. */
export interface Plan {
  put(key: TaskKey, task: Task): void;
  drop(key: TaskKey): void;
}

/** Does a task; it must drop or replan the task in the transaction that records its effect. */
export type RunTask = (key: TaskKey, task: Task, stopping: AbortSignal) => Promise<void>;

/** Tasks to be done at their time, which outlive the process. */
export interface Agenda {
  /** Runs `work` in one durable transaction, then sets timers for what it planned. */
  commit<T>(work: (plan: Plan) => T): Promise<T>;
  /** Resolves when the task is dropped. Call it before the task is planned. */
  dropped(key: TaskKey): Promise<void>;
  /** Begins to run tasks, those left by an earlier process included. */
  start(run: RunTask): void;
  /** Stops timers and waits for running tasks; what is undone stays on disk. */
  stop(): Promise<void>;
}

export function createAgenda(store: Store, log: Log): Agenda {
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
    const doing = perform(key);
    running.add(doing);
    void doing.finally(() => running.delete(doing));
  }

  async function perform(key: TaskKey): Promise<void> {
    try {
      const task = store.tasks.get(key);
      if (task) await run?.(key, task, stopping.signal);
    } catch (error) {
      log.error({ error: String(error), about: key[0] }, 'A task failed and will be tried again');
      arm(key, Date.now() + retryAfter);
    }
  }

  return {
    async commit(work) {
      const changes: { key: TaskKey; at?: number }[] = [];
      const result = await store.transaction(() =>
        work({
          put(key, task) {
            store.tasks.putSync(key, task);
            changes.push({ key, at: task.at });
          },
          drop(key) {
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
    dropped(key) {
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
