import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { activityInfo } from '@temporalio/activity';
import { Client } from 'pg';
import { vi } from 'vitest';

const requests = new AsyncLocalStorage<string>();
subscribe('http.server.request.start', (message) => {
  const { method, url = '' } = (message as { request: IncomingMessage }).request;
  requests.enterWith(`${method} ${url.split('?')[0]}`);
});

/** Where a statement comes from: an activity's type, or a request's method and path; undefined for the sweep and the test. */
function origin(): string | undefined {
  try {
    return activityInfo().activityType;
  } catch {
    return requests.getStore();
  }
}

/** Counts what is sent to PostgreSQL, `begin` and `commit` included, by its origin, from now on. */
export function countStatements(): Map<string, number> {
  const counts = new Map<string, number>();
  const query = Reflect.get(Client.prototype, 'query') as (...words: unknown[]) => unknown;
  vi.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...words: unknown[]) {
    const name = origin();
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    return query.apply(this, words) as never;
  });
  return counts;
}
