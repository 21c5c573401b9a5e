import { isIP } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context, MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import { isValidSignature } from './signature.ts';

/** Gives handlers access to Node's own request and response. */
export interface HttpEnvironment {
  Bindings: HttpBindings;
}

/** Responds 401 unless the request was signed with a shared secret within the last five minutes. */
export function requireSignature(sharedSecret: string): MiddlewareHandler<HttpEnvironment> {
  return async (c, next) => {
    const timestamp = c.req.header('x-pg-timestamp') ?? '';
    const signature = c.req.header('x-pg-signature') ?? '';
    const path = new URL(c.req.url).pathname;
    const body = new Uint8Array(await c.req.arrayBuffer());
    if (!isValidSignature(sharedSecret, { timestamp, path, body, signature }, Date.now())) {
      throw new HTTPException(401, { message: 'Invalid signature or timestamp' });
    }
    await next();
  };
}

/**
 * Responds 403 to requests from other sites' pages, because the sandbox tools have no authentication. A page whose own name
 * resolves to this machine (DNS rebinding) counts as the same origin, but Host names it.
 */
export const refuseOtherSites: MiddlewareHandler = async (c, next) => {
  const { hostname } = new URL(c.req.url);
  if (hostname !== 'localhost' && !isIP(hostname.replace(/^\[|\]$/g, ''))) {
    throw new HTTPException(403, { message: 'Host must be localhost or an IP address' });
  }
  const site = c.req.header('sec-fetch-site') ?? 'none';
  if (c.req.method !== 'GET' && site !== 'same-origin' && site !== 'none') {
    throw new HTTPException(403, { message: 'Requests from other sites are refused' });
  }
  await next();
};

/** The JSON body, validated. Throws a 400 that names the invalid fields and repeats no value. */
export async function readBody<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  const body: unknown = await c.req.json().catch(() => {
    throw new HTTPException(400, { message: 'The body is not JSON' });
  });
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the body'));
  throw new HTTPException(400, { message: `Invalid: ${[...fields].join(', ')}` });
}

/** Closes the request's connection without a response. */
export function cutConnection(c: Context<HttpEnvironment>): Response {
  c.env.incoming.socket.destroy();
  return RESPONSE_ALREADY_SENT;
}

/** Leaves a request unanswered until the client disconnects, at most for `durationMs`. */
export async function leaveUnanswered(c: Context<HttpEnvironment>, durationMs: number): Promise<Response> {
  const { socket } = c.env.incoming;
  if (!socket.destroyed) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }
  return cutConnection(c);
}
