import type { Payload } from '@temporalio/common';
import type { Hono } from 'hono';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import type { Api } from '../context.ts';
import { allowOnly } from '../http/allowed-methods.ts';
import { requireToken } from '../http/bearer-token.ts';
import type { ApiParts } from '../parts.ts';

const payloadsSchema = z.object({
  payloads: z.array(
    z.object({ metadata: z.record(z.string(), z.base64()).optional(), data: z.base64().optional() }),
  ),
});

/**
 * `POST /codec/decode`: lets the Temporal Web UI and CLI show payloads to operators. Nothing encrypts for them. Browsers
 * send the Origin of a page, and only the Web UI's is accepted. Non-browser clients need the token, if one is set.
 */
export function serveCodec(app: Hono<Api>, { codec, decodePayloads }: ApiParts): void {
  app.use('/codec/*', allowCrossOrigin(codec.allowedOrigin), refuseOtherOrigins(codec.allowedOrigin));
  if (codec.tokens !== undefined) app.use('/codec/*', requireToken(codec.tokens));

  app.post('/codec/decode', async (context) => {
    const payloads = readPayloads(await context.req.json().catch(() => undefined));
    return context.json({ payloads: decode(payloads).map(toJson) }, 200);
  });
  allowOnly(app, '/codec/decode', 'POST');

  function decode(payloads: readonly Payload[]): Payload[] {
    try {
      return decodePayloads(payloads);
    } catch (cause) {
      const message =
        'A payload cannot be decoded: it was altered, or PAYLOAD_KEYS lacks the key that encrypted it.';
      throw new HTTPException(400, { message, cause });
    }
  }
}

function allowCrossOrigin(origin: string) {
  return cors({
    origin,
    allowMethods: ['POST'],
    allowHeaders: ['content-type', 'x-namespace', 'authorization'],
    credentials: true,
  });
}

function refuseOtherOrigins(allowedOrigin: string) {
  return createMiddleware<Api>(async (context, next) => {
    const origin = context.req.header('origin');
    if (origin !== undefined && origin !== allowedOrigin)
      throw new HTTPException(403, {
        message: 'Only the Temporal Web UI may call this; set CODEC_ALLOWED_ORIGIN to its origin.',
      });
    await next();
  });
}

type JsonPayload = z.infer<typeof payloadsSchema>['payloads'][number];

function readPayloads(body: unknown): Payload[] {
  const request = payloadsSchema.safeParse(body);
  if (!request.success) throw new HTTPException(400, { message: 'The body must be {"payloads":[…]}.' });
  return request.data.payloads.map(fromJson);
}

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
