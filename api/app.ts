import { Hono } from 'hono';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import { correlationIdPattern, keptCorrelationId } from '../wire/headers.ts';
import { createCorrelationId } from '../encryption/tran-token.ts';
import { fail } from './http/errors.ts';
import { serveRegistrations } from './routes/registrations.ts';
import { serveBankAccounts } from './routes/bank-accounts.ts';
import { serveCodec } from './routes/codec.ts';
import type { Api, ServedApi } from './context.ts';
import type { ApiParts } from './parts.ts';
import { serveDocs } from './routes/docs.ts';
import { serveHealth } from './routes/health.ts';
import { serveOperator } from './routes/operator.ts';
import { servePaymentGatewayCallbacks } from './routes/payment-gateway-callbacks.ts';
import { Refusal } from './http/refusal.ts';
import { refuseOtherSites } from './http/local-requests.ts';
import { clientAddress } from './http/client-address.ts';
import { slowDownFailures } from './http/failed-authentications.ts';
import { ProjectLimits, limitRequestsInFlight } from './http/request-limits.ts';
import { codes } from '../wire/result-codes.ts';
import { noTracing } from '../runtime/tracing.ts';
import type { SpanInProgress } from '../runtime/tracing.ts';
import { withCorrelation } from '../runtime/correlation.ts';

/** The maximum size of a body, in bytes. */
const maxBodyBytes = 64 * 1024;

const keylessInTheSandbox = ['/sandbox/*', '/codec/*', '/operator/*'];

/** How much of a claimed ASP ID is logged, in characters. */
const maxAspIdLength = 15;

/** Creates the API from its parts. It does not listen and reads no environment variables. */
export function createApp(parts: ApiParts): Hono<Api> {
  const app = new Hono<Api>();
  app.notFound((context) => fail(context, new Refusal(codes.UNKNOWN_PATH)));
  app.onError((error, context) => fail(context, error));
  app.use(secureHeaders());
  app.use(correlateAndLog(parts));
  app.use(refuseNul);
  // Liveness is mounted before the limits, so an overloaded process still reports that it is alive.
  serveHealth(app, parts);
  app.use(slowDownFailures(parts.limits));
  app.use(limitBody);
  app.use(limitRequestsInFlight(parts.limits));
  if (parts.serveSandbox) for (const path of keylessInTheSandbox) app.use(path, refuseOtherSites);
  serveDocs(app, parts);
  serveCodec(app, parts);
  serveOperator(app, parts);
  servePaymentGatewayCallbacks(app, parts);
  const projectLimits = new ProjectLimits(parts.limits, parts.metrics);
  serveRegistrations(app, { ...parts, projectLimits });
  serveBankAccounts(app, { ...parts, projectLimits });
  parts.serveSandbox?.(app, parts);
  return app;
}

/** Refuses larger bodies with `000_911`, as soon as that is known. */
const limitBody = bodyLimit({
  maxSize: maxBodyBytes,
  onError: (context) => {
    // The rest of the body stays unread, so the connection cannot serve another request.
    context.header('Connection', 'close');
    throw new Refusal(codes.REQUEST_TOO_LARGE);
  },
});

/** No path or query needs NUL, and PostgreSQL does not accept it in text. */
const refuseNul = createMiddleware<Api>(async (context, next) => {
  if (context.req.url.includes('%00')) throw new Refusal(codes.UNKNOWN_PATH);
  await next();
});

/**
 * Echoes the client's correlation ID, or creates one if there is no valid one. Logs and measures each request. What is
 * kept, in the log and beside a registration, is an ID of the documented form, or a new one.
 */
function correlateAndLog({ log, metrics, tracing = noTracing, trustedProxies = 0 }: ApiParts) {
  return createMiddleware<ServedApi>(async (context, next) => {
    const given = context.req.header('x-km-correlation-id') ?? '';
    const correlationId = keptCorrelationId(given) ?? createCorrelationId(new Date());
    context.set('log', log);
    context.header('X-KM-Correlation-Id', correlationIdPattern.test(given) ? given : correlationId);
    const arrival = performance.now();
    context.set('arrival', arrival);
    context.set('address', clientAddress(context.env.incoming, trustedProxies));
    if (isProbe(context.req)) return await next();
    const { method } = context.req;
    const serve = async ({ add, rename }: SpanInProgress) => {
      metrics.requestsInFlight.inc();
      await next();
      metrics.requestsInFlight.dec();
      const { resultCode: code, aspId } = context.var;
      const { status } = context.res;
      const route = routePath(context, -1);
      const milliseconds = performance.now() - arrival;
      metrics.requests.observe({ route, status, code: code ?? 'none' }, milliseconds / 1_000);
      const claim = status < 400 || aspId !== undefined ? {} : claimOf(context);
      log.info(
        { method, route, status, code, aspId, ...claim, milliseconds: Math.round(milliseconds) },
        'request',
      );
      rename(`${method} ${route}`);
      add({
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
        'result.code': code,
      });
    };
    await withCorrelation({ correlationId }, () => tracing.inSpan({ name: method, kind: 'SERVER' }, serve));
  });
}

/** Whoever watches the process asks every few seconds: that is neither logged nor measured as a request. */
function isProbe({ method, path }: Context['req']): boolean {
  return method === 'GET' && (path === '/healthz' || path === '/readyz');
}

/** Who an unauthenticated request claims to come from, and where it comes from. */
function claimOf({ req: request, var: { address } }: Context<ServedApi>) {
  return { claimedAspId: request.header('x-km-user-aspid')?.slice(0, maxAspIdLength), address };
}
