import type { Context } from 'hono';
import { isTransient } from '../platform/transient-errors.ts';
import { resultCodes } from '../contract/result-codes.ts';
import type { Api } from './context.ts';
import { Refusal } from './refusal.ts';

/** Writes an answer that fulfils the request: the payload with `response` beside it. */
export function succeed(context: Context<Api>, payload: object): Response {
  context.set('resultCode', '000_000');
  return context.json(
    { ...payload, response: { code: '000_000', description: resultCodes['000_000'].text } },
    200,
  );
}

/** Writes the answer to every request that is not fulfilled, whatever door the failure came by. */
export function fail(context: Context<Api>, error: unknown): Response {
  const refusal = asRefusal(error);
  const { status, retryable } = resultCodes[refusal.code];
  context.set('resultCode', refusal.code);
  if (status >= 500) context.var.log.error({ err: error, code: refusal.code }, 'a request failed');
  if (status === 503 && retryable) context.header('Retry-After', '1');
  const response = { code: refusal.code, description: refusal.message };
  return context.json({ ...refusal.payload, response }, status);
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal(isTransient(error) ? '000_991' : '000_990');
}
