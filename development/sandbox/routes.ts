import type { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import type { Api } from '../../api/context.ts';
import { allowOnly } from '../../api/http/allowed-methods.ts';
import type { ApiParts } from '../../api/parts.ts';

const requestSchema = z.object({ callbackUrl: z.url({ protocol: /^https?$/ }).nullable() });

/** What the sandbox's routes show. */
export interface SandboxParts {
  /** Of all projects, for everyone. */
  readonly credentials: object;
  /** The URL of the simulated phone. */
  readonly phoneUrl: string;
}

/**
 * The sandbox's part of the API. `GET /sandbox/credentials`: the credentials of all projects.
 * `PUT /sandbox/projects/{aspId}/callback`: sets the URL for a project's result notifications; null switches them off.
 * `GET /sandbox/phone`: leads to the simulated phone.
 */
export function sandboxRoutes({
  credentials,
  phoneUrl,
}: SandboxParts): (app: Hono<Api>, parts: Pick<ApiParts, 'stores'>) => void {
  return (app, { stores }) => {
    app.get('/sandbox/credentials', (context) => context.json(credentials));
    allowOnly(app, '/sandbox/credentials', 'GET, HEAD');

    app.put('/sandbox/projects/:aspId/callback', async (context) => {
      const request = requestSchema.safeParse(await context.req.json().catch(() => undefined));
      if (!request.success) {
        throw new HTTPException(400, { message: 'The body must be {"callbackUrl": <URL or null>}.' });
      }
      const { callbackUrl } = request.data;
      const isKnown = await stores.projects.setNotificationUrl(context.req.param('aspId'), callbackUrl);
      if (!isKnown) {
        const message = 'There is no such project; GET /sandbox/credentials lists them.';
        throw new HTTPException(404, { message });
      }
      return context.json({ callbackUrl });
    });
    allowOnly(app, '/sandbox/projects/:aspId/callback', 'PUT');

    app.get('/sandbox/phone', (context) => context.redirect(phoneUrl, 302));
  };
}
