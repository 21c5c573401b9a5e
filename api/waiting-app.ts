import { Hono } from 'hono';
import { codes } from '../wire/result-codes.ts';
import type { Api } from './context.ts';
import { fail } from './http/errors.ts';
import { Refusal } from './http/refusal.ts';

/**
 * What the API serves while it waits for its database: it is alive, so nobody should restart it, but it is not ready and
 * refuses requests with `000_991`.
 */
export function createWaitingApp(): Hono<Api> {
  const app = new Hono<Api>();
  app.get('/healthz', (context) => context.json({ status: 'ok' }, 200));
  app.get('/readyz', (context) =>
    context.json({ status: 'not ready', reasons: ['PostgreSQL does not answer'] }, 503),
  );
  app.all('*', (context) => fail(context, new Refusal(codes.SERVICE_UNAVAILABLE)));
  return app;
}
