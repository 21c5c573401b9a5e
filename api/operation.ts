import type { Hono } from 'hono';
import type { z } from 'zod';
import type { Operation } from '../contract/operation.ts';
import { succeed } from './answer.ts';
import { authenticate } from './authentication.ts';
import type { Caller } from './authentication.ts';
import type { Api, ApiParts } from './context.ts';
import { Refusal } from './refusal.ts';
import { openBody } from './request-body.ts';
import { validate } from './validation.ts';

/** The paths the API is served below: its own, and that of the platform's sandbox. */
const basePaths = ['/api/v1', '/open-api/api/v1'];

/** A handler: the checked request of a proven caller in, the payload of the answer out. */
export type Handler<Request extends z.ZodObject, Response extends z.ZodObject> = (
  request: z.output<Request>,
  caller: Caller,
) => Promise<z.input<Response>>;

/** Serves an operation: who calls is proven, the body opened and checked, and the answer put into the envelope. */
export function serve<Request extends z.ZodObject, Response extends z.ZodObject>(
  app: Hono<Api>,
  parts: ApiParts,
  operation: Operation<Request, Response>,
  handle: Handler<Request, Response>,
): void {
  for (const basePath of basePaths) {
    app.post(basePath + operation.path, async (context) => {
      requireJson(context.req.header('content-type'));
      const body = new Uint8Array(await context.req.arrayBuffer());
      const caller = await authenticate(context, body, parts);
      context.set('aspId', caller.project.aspId);
      const content = await openBody(body, operation.encrypted, caller, parts);
      return succeed(context, await handle(validate(operation.request, content), caller));
    });
    app.all(basePath + operation.path, (context) => {
      context.header('Allow', 'POST');
      throw new Refusal('000_910');
    });
  }
}

function requireJson(contentType = ''): void {
  if (!/^application\/json *(; *charset="?utf-8"? *)?$/i.test(contentType)) throw new Refusal('000_912');
}
