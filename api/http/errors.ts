import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { codes, resultCodes } from '../../wire/result-codes.ts';
import type { ResultCode } from '../../wire/result-codes.ts';
import { DatabaseRestored } from '../../database/incarnations.ts';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import { isTransient } from '../../runtime/transient-errors.ts';
import type { Api } from '../context.ts';
import { Refusal } from './refusal.ts';

/** The paths outside the wire. Their errors are `{"error": "<sentence>"}`; all other paths use the envelope. */
const outsideTheWire = /^\/(codec|operator|pg|sandbox)(\/|$)/;

/** What to do about a refusal outside the wire, where result codes have no meaning. */
const advice: Partial<Record<ResultCode, string>> = {
  [codes.UNKNOWN_PATH]: 'There is no such path; check its spelling.',
  [codes.METHOD_NOT_ALLOWED]: 'Use a method that the Allow header names.',
  [codes.REQUEST_TOO_LARGE]: 'The request is too large; send at most 64 KiB.',
  [codes.MALFORMED_HTTP]: 'The request is not valid HTTP; send HTTP/1.1 with a valid Host header.',
  [codes.REQUEST_TIMEOUT]: 'The request did not arrive within 30 s; send it again.',
  [codes.INTERNAL_ERROR]:
    'Internal error; send the request again and, if it persists, report X-KM-Correlation-Id.',
  [codes.SERVICE_UNAVAILABLE]:
    'The service is not available at the moment; send the request again after Retry-After seconds.',
};

const bearerAdvice = 'Send the header "Authorization: Bearer <token>" with a valid token.';

/**
 * Builds the response to every request that did not succeed. In the envelope, or outside the wire as
 * `{"error": "<sentence>"}`. A `Refusal` and Hono's `HTTPException` have a status; any other error is a 503 if it is
 * transient, otherwise a 500, and is logged.
 */
export function fail(context: Context<Api>, error: unknown): Response {
  if (error instanceof HTTPException && outsideTheWire.test(context.req.path)) return refuse(context, error);
  const refusal = asRefusal(error);
  const { status } = resultCodes[refusal.code];
  context.set('resultCode', refusal.code);
  // A refusal is intended. Logging each one would double a flood of requests.
  if (status >= 500 && error !== refusal) {
    context.var.log.error({ err: error, code: refusal.code }, 'a request failed');
  }
  const retryAfter = refusal.retryAfter ?? (status === 503 ? 1 : undefined);
  if (retryAfter !== undefined) context.header('Retry-After', String(retryAfter));
  return context.json(errorBody(refusal, context.req.path), status);
}

/**
 * The body of an error response.
 * @param path of the request; undefined if it could not be read, which gives the envelope
 */
export function errorBody({ code, message, payload }: Refusal, path: string | undefined): object {
  if (path !== undefined && outsideTheWire.test(path)) return { error: advice[code] ?? message };
  return { ...payload, response: { code, description: message } };
}

function refuse(context: Context<Api>, { status, message, res }: HTTPException): Response {
  const challenge = res?.headers.get('www-authenticate');
  if (challenge) context.header('WWW-Authenticate', challenge);
  return context.json({ error: challenge ? bearerAdvice : message }, status);
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const isUnavailable =
    error instanceof PaymentGatewayUnavailable || error instanceof DatabaseRestored || isTransient(error);
  return new Refusal(isUnavailable ? codes.SERVICE_UNAVAILABLE : codes.INTERNAL_ERROR);
}
