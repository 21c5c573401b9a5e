import type { Payload } from '@temporalio/common';
import type { Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { cors } from 'hono/cors';
import { z } from 'zod';
import type { Api, ApiParts } from '../context.ts';

const payloadsSchema = z.object({
  payloads: z.array(
    z.object({ metadata: z.record(z.string(), z.base64()).optional(), data: z.base64().optional() }),
  ),
});

/**
 * `POST /codec/encode` and `/codec/decode`: lets the Temporal Web UI and CLI show payloads to operators. Other sites'
 * pages are refused, by the Origin that browsers send; who is no browser needs the token.
 */
export function serveCodec(app: Hono<Api>, { codec, payloadCodec }: ApiParts): void {
  app.use(
    '/codec/*',
    cors({
      origin: codec.allowedOrigin,
      allowMethods: ['POST'],
      allowHeaders: ['content-type', 'x-namespace', 'authorization'],
      credentials: true,
    }),
  );
  app.use('/codec/*', async (context, next) => {
    const origin = context.req.header('origin');
    if (origin === undefined || origin === codec.allowedOrigin) return await next();
    return context.json({ error: 'Only the Temporal Web UI may ask for this.' }, 403);
  });
  if (codec.token !== undefined) app.use('/codec/*', bearerAuth({ token: codec.token }));

  for (const direction of ['encode', 'decode'] as const) {
    app.post(`/codec/${direction}`, async (context) => {
      const request = payloadsSchema.safeParse(await context.req.json().catch(() => undefined));
      if (!request.success) return context.json({ error: 'The body must be {"payloads":[…]}.' }, 400);
      const payloads = request.data.payloads.map(fromJson);
      try {
        return context.json({ payloads: (await payloadCodec[direction](payloads)).map(toJson) }, 200);
      } catch {
        return context.json({ error: 'A payload is not of this service, or its key is gone.' }, 400);
      }
    });
  }
}

type JsonPayload = z.infer<typeof payloadsSchema>['payloads'][number];

function fromJson({ metadata = {}, data = '' }: JsonPayload): Payload {
  return {
    metadata: mapValues(metadata, (value) => Buffer.from(value, 'base64')),
    data: Buffer.from(data, 'base64'),
  };
}

function toJson({ metadata, data }: Payload) {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return { metadata: mapValues(metadata ?? {}, base64), data: base64(data ?? new Uint8Array()) };
}

function mapValues<From, To>(record: Record<string, From>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
