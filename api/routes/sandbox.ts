import type { Hono } from 'hono';
import { z } from 'zod';
import type { Api, ApiParts } from '../context.ts';

const callbackSchema = z.object({ callbackUrl: z.url({ protocol: /^https?$/ }).nullable() });

/** In sandbox mode only: the credentials for everyone, and where a project's results are delivered. */
export function serveSandbox(app: Hono<Api>, { stores }: ApiParts, credentials: () => object): void {
  app.get('/sandbox/credentials', (context) => context.json(credentials()));

  app.put('/sandbox/projects/:aspId/callback', async (context) => {
    const request = callbackSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!request.success)
      return context.json({ error: 'The body must be {"callbackUrl": <URL or null>}.' }, 400);
    const { callbackUrl } = request.data;
    const isKnown = await stores.projects.setNotificationUrl(context.req.param('aspId'), callbackUrl);
    return isKnown
      ? context.json({ callbackUrl })
      : context.json({ error: 'There is no such project.' }, 404);
  });
}
