import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { Calls, PhoneAction } from './calls.ts';
import { keyedCode } from './protocol.ts';
import { readBody } from './requests.ts';
import type { HttpEnvironment } from './requests.ts';
import type { Call } from './store.ts';

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The phone page, on which a person answers calls to numbers ending in 0008, and its API. With `?reference=`, the page
 * receives the calls of that registration alone.
 */
export function phoneRoutes(calls: Calls): Hono<HttpEnvironment> {
  const routes = new Hono<HttpEnvironment>();
  serveFile(routes, '/phone', 'phone.html', 'text/html; charset=utf-8');
  serveFile(routes, '/phone/phone.css', 'phone.css', 'text/css; charset=utf-8');
  serveFile(routes, '/phone/phone.js', 'phone.js', 'text/javascript; charset=utf-8');

  routes.get('/phone/calls', (c) => {
    const now = Date.now();
    c.header('cache-control', 'no-store');
    return c.json(
      calls.atPhonePage().map((call) => ({
        ...phoneView(call),
        secondsLeft: Math.max(0, Math.ceil((call.expiresAt - now) / 1000)),
      })),
    );
  });

  const act = async (c: Context, callId: string, action: PhoneAction): Promise<Response> => {
    const call = await calls.act(callId, action);
    if (!call) return c.json({ error: 'Unknown call' }, 404);
    if (call === 'CONFLICT')
      return c.json({ error: 'The state of the call does not allow this action' }, 409);
    return c.json(phoneView(call));
  };
  routes.post('/phone/calls/:callId/answer', (c) => act(c, c.req.param('callId'), 'ANSWER'));
  routes.post('/phone/calls/:callId/decline', (c) => act(c, c.req.param('callId'), 'DECLINE'));
  routes.post('/phone/calls/:callId/hang-up', (c) => act(c, c.req.param('callId'), 'HANG_UP'));
  routes.post('/phone/calls/:callId/code', async (c) =>
    act(c, c.req.param('callId'), await readBody(c, keyedCode)),
  );
  return routes;
}

function serveFile(routes: Hono<HttpEnvironment>, path: string, fileName: string, contentType: string): void {
  const content = readFileSync(new URL(`phone-page/${fileName}`, import.meta.url), 'utf8');
  routes.get(path, (c) =>
    c.body(content, 200, {
      'content-type': contentType,
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    }),
  );
}

/** What the phone page shows. The code is included once the call is answered, because the ARS asks for it then. */
function phoneView(call: Call): object {
  return {
    callId: call.callId,
    reference: call.reference,
    attempt: call.attempt,
    phoneNumber: call.phoneNumber.replaceAll(/\d(?=(?:-*\d){0,3}-*$)/g, '*'),
    state: call.state,
    ...(call.outcome && { outcome: call.outcome }),
    ...(call.state === 'ANSWERED' && { code: call.code }),
  };
}
