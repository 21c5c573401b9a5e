import type { Hono } from 'hono';
import type { z } from 'zod';
import type { Operation } from '../../wire/operation.ts';
import type { CryptoKey, Project } from '../../database/projects.ts';
import { succeed } from './answer.ts';
import { authenticate } from './authentication.ts';
import type { Caller } from './authentication.ts';
import type { Api, ApiParts } from '../context.ts';
import { Refusal } from './refusal.ts';
import { openBody } from './request-body.ts';
import type { ProjectLimits } from './request-limits.ts';
import { validate } from './validation.ts';
import { codes } from '../../wire/result-codes.ts';

/** The paths the API is served below: its own, and that of the platform's sandbox. */
const basePaths = ['/api/v1', '/open-api/api/v1'];

/** What operations are served with: the limits count a project's requests over all of them. */
export type OperationParts = ApiParts & { readonly projectLimits: ProjectLimits };

/** A handler: the checked request of a proven caller in, the payload of the answer out. */
export type Handler<Request extends z.ZodObject, Response extends z.ZodObject> = (
  request: z.output<Request>,
  caller: Caller & {
    /** What the answer will be encrypted for, if it will be. */ readonly answerKey: CryptoKey | undefined;
  },
) => Promise<z.input<Response>>;

/**
 * Serves an operation: who calls is proven, its turn awaited, the body opened and checked, and the answer put into the
 * envelope.
 */
export function serve<Request extends z.ZodObject, Response extends z.ZodObject>(
  app: Hono<Api>,
  parts: OperationParts,
  operation: Operation<Request, Response>,
  handle: Handler<Request, Response>,
): void {
  for (const basePath of basePaths) {
    app.post(basePath + operation.path, async (context) => {
      requireJson(context.req.header('content-type'));
      const body = new Uint8Array(await context.req.arrayBuffer());
      const caller = await authenticate(context, body, parts);
      context.set('aspId', caller.project.aspId);
      return await parts.projectLimits.run(caller.project.aspId, async () => {
        const { content, cryptoKey } = await openBody(body, operation.encrypted, caller, parts);
        const answerKey = answerKeyOf(operation, caller.project, cryptoKey);
        const answer = await handle(validate(operation.request, content), { ...caller, answerKey });
        return await succeed(context, answer, answerKey);
      });
    });
    app.all(basePath + operation.path, (context) => {
      context.header('Allow', 'POST');
      throw new Refusal(codes.METHOD_NOT_ALLOWED);
    });
  }
}

function answerKeyOf(
  { answerEncrypted }: Operation,
  project: Project,
  requestKey: CryptoKey | undefined,
): CryptoKey | undefined {
  if (answerEncrypted === undefined) return undefined;
  if (requestKey || answerEncrypted === 'as-asked') return requestKey;
  return project.cryptoKeys.find(({ state }) => state === 'ACTIVE');
}

function requireJson(contentType = ''): void {
  if (!/^application\/json *(; *charset="?utf-8"? *)?$/i.test(contentType))
    throw new Refusal(codes.UNSUPPORTED_CONTENT_TYPE);
}
