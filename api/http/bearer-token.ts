import type { MiddlewareHandler } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { findHolder } from '../../runtime/bearer-tokens.ts';
import type { HashedToken } from '../../runtime/bearer-tokens.ts';

/** Refuses requests without a bearer token that is valid now. */
export function requireToken(tokens: readonly HashedToken[]): MiddlewareHandler {
  return bearerAuth({ verifyToken: (token) => findHolder(tokens, token) !== undefined });
}
