import type { Context, Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import type { Api } from '../../api/context.ts';
import { allowOnly } from '../../api/http/allowed-methods.ts';
import type { ApiParts } from '../../api/parts.ts';
import type { Actor } from '../../database/audit-trail.ts';
import { createNotificationSender } from '../../notifications/notification-sender.ts';
import { findUrlObstacle } from '../../notifications/notification-url.ts';
import { sendTestNotification } from '../../notifications/test-notification.ts';
import type { OperatorOutcome } from './operator.ts';

const receivers = { allowLoopback: true };

const requestSchema = z.object({
  callbackUrl: z
    .string()
    .refine((url) => findUrlObstacle(url, receivers) === undefined)
    .nullable(),
});

const operatorSchema = z.object({ words: z.array(z.string()) });

/** What the sandbox's routes show. */
export interface SandboxParts {
  /** Of all projects, for everyone. */
  readonly credentials: object;
  /** The URL of the simulated phone. */
  readonly phoneUrl: string;
  /** Carries out operator's commands for whoever has the token. */
  readonly operator?: {
    readonly token: string | undefined;
    readonly run: (words: readonly string[], actor: Actor) => Promise<OperatorOutcome>;
  };
}

/**
 * The sandbox's part of the API. `GET /sandbox/credentials`: the credentials of all projects.
 * `PUT /sandbox/projects/{aspId}/callback`: sets the URL for a project's result notifications; null switches them off.
 * `GET /sandbox/projects/{aspId}/callback`: that URL.
 * `POST /sandbox/projects/{aspId}/test-notification`: sends a test notification there, once.
 * `POST /sandbox/operator`: carries out an operator's command line, for whoever has the token of this start.
 * `GET /sandbox/phone`: leads to the simulated phone; with `?reference=`, to the calls of that registration.
 */
export function sandboxRoutes({
  credentials,
  phoneUrl,
  operator,
}: SandboxParts): (app: Hono<Api>, parts: Pick<ApiParts, 'stores'>) => void {
  const notificationSender = createNotificationSender(receivers);
  return (app, { stores }) => {
    app.get('/sandbox/credentials', (context) => context.json(credentials));
    allowOnly(app, '/sandbox/credentials', 'GET, HEAD');

    app.get('/sandbox/projects/:aspId/callback', async (context) => {
      const project = await stores.projects.find(context.req.param('aspId'));
      if (!project) throw noSuchProject();
      return context.json({ callbackUrl: project.notificationUrl });
    });
    app.put('/sandbox/projects/:aspId/callback', async (context) => {
      const request = requestSchema.safeParse(await context.req.json().catch(() => undefined));
      if (!request.success) {
        throw new HTTPException(400, { message: 'The body must be {"callbackUrl": <URL or null>}.' });
      }
      const { callbackUrl } = request.data;
      const aspId = context.req.param('aspId');
      await stores.act(
        actorOf(context),
        async (acting) => {
          if (!(await acting.projects.setNotificationUrl(aspId, callbackUrl))) throw noSuchProject();
        },
        () => ({ action: 'notification-url', aspId, details: { url: callbackUrl } }),
      );
      return context.json({ callbackUrl });
    });
    allowOnly(app, '/sandbox/projects/:aspId/callback', 'GET, HEAD, PUT');

    app.post('/sandbox/projects/:aspId/test-notification', async (context) => {
      const project = await stores.projects.find(context.req.param('aspId'));
      if (!project) throw noSuchProject();
      const outcome = await sendTestNotification(project, notificationSender);
      if (!outcome.isSent) throw new HTTPException(409, { message: obstacles[outcome.obstacle] });
      return context.json({ acknowledged: outcome.isAcknowledged, answer: outcome.answer });
    });
    allowOnly(app, '/sandbox/projects/:aspId/test-notification', 'POST');

    if (operator?.token !== undefined) {
      app.post('/sandbox/operator', bearerAuth({ token: operator.token }), async (context) => {
        const { words } = operatorSchema.parse(await context.req.json());
        return context.json(await operator.run(words, actorOf(context)));
      });
      allowOnly(app, '/sandbox/operator', 'POST');
    }

    app.get('/sandbox/phone', (context) => context.redirect(phoneUrl + new URL(context.req.url).search, 302));
  };
}

/** Nobody needs a token in the sandbox. */
function actorOf({ env }: Context<Api>): Actor {
  const { incoming } = env as {
    readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
  };
  return { name: 'sandbox', origin: incoming?.socket?.remoteAddress ?? 'unknown' };
}

const obstacles = {
  NOT_ACTIVE: 'The project is not active, so it gets no notifications.',
  NO_URL: 'The project has no notification URL; PUT /sandbox/projects/{aspId}/callback sets it.',
  NO_ACTIVE_KEYS: 'The project has no active keys to sign and encrypt with.',
};

function noSuchProject(): HTTPException {
  return new HTTPException(404, {
    message: 'There is no such project; GET /sandbox/credentials lists them.',
  });
}
