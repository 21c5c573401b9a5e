import type { Agenda } from './agenda.ts';
import type { CallCallback, ResultNotification } from './protocol.ts';
import { sign } from './signature.ts';
import type { Task, TaskKey } from './store.ts';

type Delivery = Extract<Task, { kind: 'DELIVER_CALLBACK' }>;

const attemptTimeout = 5000;
const firstBackoff = 500;
const longestBackoff = 30_000;

/** A callback to be delivered `at` (unix milliseconds) and again until it is acknowledged. */
export function delivery(url: string, body: CallCallback | ResultNotification, at: number): Delivery {
  return { kind: 'DELIVER_CALLBACK', url, body: JSON.stringify(body), failures: 0, at };
}

/** Tries a delivery once; drops it when it is acknowledged with HTTP 200, replans it otherwise. */
export async function deliver(
  agenda: Agenda,
  sharedSecret: string,
  key: TaskKey,
  task: Delivery,
  stopping: AbortSignal,
): Promise<void> {
  const acknowledged = await post(sharedSecret, task, stopping);
  if (stopping.aborted && !acknowledged) return;
  await agenda.commit((plan) => {
    if (acknowledged) return plan.drop(key);
    const at = Date.now() + backoff(task.failures);
    return plan.put(key, { ...task, failures: task.failures + 1, at });
  });
}

/** Milliseconds to wait after a delivery that follows `failures` failed ones has failed too. */
export function backoff(failures: number): number {
  return Math.min(firstBackoff * 2 ** failures, longestBackoff);
}

async function post(sharedSecret: string, task: Delivery, stopping: AbortSignal): Promise<boolean> {
  const timestamp = String(Date.now());
  try {
    const response = await fetch(task.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-pg-timestamp': timestamp,
        'x-pg-signature': sign(sharedSecret, timestamp, new URL(task.url).pathname, task.body),
      },
      body: task.body,
      redirect: 'manual',
      signal: AbortSignal.any([stopping, AbortSignal.timeout(attemptTimeout)]),
    });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
