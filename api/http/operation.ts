import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import type { Operation } from '../../wire/operation.ts';
import type { CryptoKey, Project } from '../../database/projects.ts';
import type { Api } from '../context.ts';
import type { ApiParts } from '../parts.ts';
import { allowOnly } from './allowed-methods.ts';
import { authenticate } from './authentication.ts';
import type { Caller } from './authentication.ts';
import { requireJson } from './content-type.ts';
import { RepeatableRequest } from './repeatable-request.ts';
import { openBody } from './request-body.ts';
import type { ProjectLimits } from './request-limits.ts';
import { succeed } from './success.ts';
import { validate } from './validation.ts';

/** The base paths of the API: its own, and that of the platform's sandbox. */
const basePaths = ['/api/v1', '/open-api/api/v1'];

/** What operations need. All share the limits, which count a project's requests over all operations. */
export type OperationParts = ApiParts & { readonly projectLimits: ProjectLimits };

/** Handles a validated request of an authenticated caller. @returns the payload of the response */
export type Handler<Request extends z.ZodObject, Response extends z.ZodObject> = (
  request: z.output<Request>,
  caller: Caller & {
    /** The key that the response will be encrypted for; undefined for a plain response. */
    readonly responseKey: CryptoKey | undefined;
    readonly repeatable: RepeatableRequest;
  },
) => Promise<z.input<Response>>;

/**
 * Serves an operation below both base paths. Authenticates the caller, waits for the project's turn, decrypts and
 * validates the body, calls `handle` and puts its payload into the envelope.
 *
 * @example
 * ```ts
 * serve(app, parts, issueArsCode, async ({ userId }, { project }) => {
 *   const member = await requireMember(stores, project.aspId, userId);
 *   return { authNumber: (await stores.arsCodes.issue(member)).authNumber };
 * });
 * ```
 */
export function serve<Request extends z.ZodObject, Response extends z.ZodObject>(
  app: Hono<Api>,
  parts: OperationParts,
  operation: Operation<Request, Response>,
  handle: Handler<Request, Response>,
): void {
  const receive = async (context: Context<Api>) => {
    requireJson(context.req);
    const body = new Uint8Array(await context.req.arrayBuffer());
    const caller = await authenticate(context, body, parts);
    context.set('aspId', caller.project.aspId);
    return await parts.projectLimits.run(caller.project.aspId, async () => {
      const { content, encrypted } = await openBody(body, operation.encrypted, caller);
      const responseKey = responseKeyOf(operation, caller.project, encrypted?.cryptoKey);
      const repeatable = new RepeatableRequest(parts, operation, caller);
      if (encrypted) await repeatable.rememberCiphertext(encrypted);
      const request = validate(operation.request, content);
      const payload = await repeatable.once(context.req.header('idempotency-key'), request, () =>
        handle(request, { ...caller, responseKey, repeatable }),
      );
      return await succeed(context, payload, responseKey);
    });
  };
  for (const path of basePaths.map((basePath) => basePath + operation.path)) {
    app.post(path, receive);
    allowOnly(app, path, 'POST');
  }
}

function responseKeyOf(
  { answerEncrypted }: Operation,
  project: Project,
  requestKey: CryptoKey | undefined,
): CryptoKey | undefined {
  if (answerEncrypted === undefined) return undefined;
  if (requestKey || answerEncrypted === 'as-asked') return requestKey;
  return project.cryptoKeys.find(({ state }) => state === 'ACTIVE');
}
