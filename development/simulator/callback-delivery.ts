import type { TaskScheduler } from './task-scheduler.ts';
import type { CallCallback, RegistrationCallback } from './protocol.ts';
import { signatureOf } from './signature.ts';
import type { Task, TaskKey } from './store.ts';

type Delivery = Extract<Task, { kind: 'DELIVER_CALLBACK' }>;

const attemptTimeoutMs = 5000;
const minBackoffMs = 500;
const maxBackoffMs = 30_000;

/** A callback to deliver `at` (Unix ms), with retries until it is acknowledged. */
export function delivery(url: string, body: CallCallback | RegistrationCallback, at: number): Delivery {
  return { kind: 'DELIVER_CALLBACK', url, body: JSON.stringify(body), failures: 0, at };
}

/** Makes one delivery attempt. HTTP 200 acknowledges it; anything else schedules another attempt. */
export async function deliverCallback(
  scheduler: TaskScheduler,
  sharedSecret: string,
  key: TaskKey,
  task: Delivery,
  stopping: AbortSignal,
): Promise<void> {
  const acknowledged = await post(sharedSecret, task, stopping);
  if (stopping.aborted && !acknowledged) return;
  await scheduler.commit((tasks) => {
    if (acknowledged) return tasks.remove(key);
    const at = Date.now() + backoff(task.failures);
    return tasks.schedule(key, { ...task, failures: task.failures + 1, at });
  });
}

/** The delay after a failed attempt, in ms. `failures` counts the failed attempts before it. */
export function backoff(failures: number): number {
  return Math.min(minBackoffMs * 2 ** failures, maxBackoffMs);
}

async function post(sharedSecret: string, task: Delivery, stopping: AbortSignal): Promise<boolean> {
  const timestamp = String(Date.now());
  try {
    const response = await fetch(task.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-pg-timestamp': timestamp,
        'x-pg-signature': signatureOf(sharedSecret, timestamp, new URL(task.url).pathname, task.body),
      },
      body: task.body,
      redirect: 'manual',
      signal: AbortSignal.any([stopping, AbortSignal.timeout(attemptTimeoutMs)]),
    });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
