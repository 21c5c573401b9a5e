import { timingSafeEqual } from 'node:crypto';
import type { Context, HonoRequest } from 'hono';
import { requestHeadersSchema } from '../../wire/headers.ts';
import type { RequestHeaders } from '../../wire/headers.ts';
import { hashAccessKey } from '../../database/projects.ts';
import type { Project } from '../../database/projects.ts';
import { isTimeZone, parseTranTime, timeOfTranToken } from '../../wire/tran-time.ts';
import { isTranTokenOf } from '../../encryption/tran-token.ts';
import type { Api } from '../context.ts';
import type { ApiParts } from '../parts.ts';
import { Refusal } from './refusal.ts';
import { validate } from './validation.ts';
import { codes } from '../../wire/result-codes.ts';

/** An authenticated client. */
export interface Caller {
  /** When the request arrived, as a `performance.now()` time. */
  readonly arrival: number;
  readonly project: Project;
  readonly headers: RequestHeaders;
}

/**
 * Authenticates a request: checks its headers, its project and access key, the token over the bytes of the body, and its
 * times. Refuses with `000_002`, `000_003`, `000_015` or `000_901` to `000_904`.
 * @param body as received, before decryption
 */
export async function authenticate(
  { req: request, var: { arrival } }: Context<Api>,
  body: Uint8Array,
  { stores, timeWindow }: Pick<ApiParts, 'stores' | 'timeWindow'>,
): Promise<Caller> {
  const headers = readHeaders(request);
  const { 'X-KM-User-AspId': aspId, 'X-KM-Access-Key': givenKey } = headers;
  const project = await stores.projects.findByAccessKey(aspId, givenKey);
  const accessKey = project && findAccessKey(project, givenKey);
  if (!project || !accessKey) throw new Refusal(codes.UNKNOWN_PROJECT);
  const secrets = project.secretKeys.filter(({ state }) => state === 'ACTIVE');
  const isActive = project.state === 'ACTIVE' && accessKey.state === 'ACTIVE' && secrets.length > 0;
  if (!isActive) throw new Refusal(codes.INACTIVE_PROJECT_OR_KEY);

  const token = headers['X-KM-Tran-Token'];
  if (!secrets.some(({ secret }) => isTranTokenOf(token, body, secret))) throw new Refusal(codes.WRONG_TOKEN);
  requireRecent(headers, timeWindow);
  return { arrival, project, headers };
}

function readHeaders(request: HonoRequest): RequestHeaders {
  const given = Object.entries(requestHeadersSchema.shape).map(([name, schema]) => {
    const value = request.header(name);
    // Generated clients send an optional header that they have no value for as an empty one.
    return [name, value === '' && schema.isOptional() ? undefined : value];
  });
  const headers = validate(requestHeadersSchema, Object.fromEntries(given));
  if (!isTimeZone(headers['X-KM-Time-Zone']))
    throw new Refusal(codes.INVALID_VALUE, { field: 'X-KM-Time-Zone' });
  return headers;
}

function findAccessKey(project: Project, accessKey: string) {
  const given = Buffer.from(hashAccessKey(accessKey));
  return project.accessKeys.find(({ sha256 }) => timingSafeEqual(Buffer.from(sha256), given));
}

function requireRecent(headers: RequestHeaders, timeWindow: number): void {
  const times = {
    'X-KM-Tran-Time': headers['X-KM-Tran-Time'],
    'X-KM-Tran-Token': timeOfTranToken(headers['X-KM-Tran-Token']),
  };
  for (const [field, text] of Object.entries(times)) {
    const time = parseTranTime(text, headers['X-KM-Time-Zone']);
    if (time === undefined) throw new Refusal(codes.INVALID_VALUE, { field });
    if (Math.abs(Date.now() - time) > timeWindow) throw new Refusal(codes.TIME_OUT_OF_WINDOW);
  }
}
