import { isIP } from 'node:net';
import { createMiddleware } from 'hono/factory';
import { HTTPException } from 'hono/http-exception';
import type { Api } from '../context.ts';

/**
 * Refuses with 403 what a page of another site sends to the sandbox, where the routes outside the wire need no key. Such a
 * page can have its own name resolve to this machine (DNS rebinding): then Host names it, and no cross-origin rule applies.
 */
export const refuseOtherSites = createMiddleware<Api>(async (context, next) => {
  const host = hostnameOf(`http://${context.req.header('host') ?? ''}`);
  if (host !== 'localhost' && !isIP(host)) throw refusal('Host');
  const origin = context.req.header('origin');
  if (origin !== undefined && !isThisMachine(hostnameOf(origin))) throw refusal('Origin');
  await next();
});

/** Empty if it is no URL. */
function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function refusal(header: string): HTTPException {
  return new HTTPException(403, {
    message: `The sandbox serves this machine only: ${header} must name localhost.`,
  });
}
