import type { Hono } from 'hono';
import type { Api } from '../context.ts';
import { codes } from '../../wire/result-codes.ts';
import { Refusal } from './refusal.ts';

/**
 * Refuses every other method with 405 and the header `Allow`. Call it after the routes of the path.
 * @param methods as in `Allow`, such as `GET, HEAD`
 *
 * @example
 * ```ts
 * app.post('/pg/callbacks', receive);
 * allowOnly(app, '/pg/callbacks', 'POST');
 * ```
 */
export function allowOnly(app: Hono<Api>, path: string, methods: string): void {
  app.all(path, (context) => {
    context.header('Allow', methods);
    throw new Refusal(codes.METHOD_NOT_ALLOWED);
  });
}
