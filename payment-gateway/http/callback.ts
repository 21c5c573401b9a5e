import { z } from 'zod';
import { refusalReasons } from '../../contract/refusal-reasons.ts';
import { arsOutcomes } from '../../wire/registration-status.ts';
import type { CallbackRequest, PaymentGatewayCallback, RefusedCallback } from '../payment-gateway.ts';
import { isSigned } from './signature.ts';

const reference = z.string().regex(/^[0-9A-Z]{22}$/);
const attempt = z.int().min(1).max(100);
const callId = z.string().min(1).max(40);

const callbackSchema = z.union([
  z.object({ type: z.literal('ARS'), reference, attempt, callId, state: z.literal('PASSED') }),
  z.object({
    type: z.literal('ARS'),
    reference,
    attempt,
    callId,
    state: z.literal('FAILED'),
    outcome: z.enum(arsOutcomes).exclude(['PASSED']),
  }),
  z.object({ type: z.literal('REGISTRATION'), reference, state: z.literal('REGISTERED') }),
  z.object({
    type: z.literal('REGISTRATION'),
    reference,
    state: z.literal('REFUSED'),
    reason: z.enum(refusalReasons),
  }),
]);

/**
 * Verifies a callback by its headers `x-pg-timestamp` and `x-pg-signature`, then parses its JSON body.
 * @param sharedSecret one or several, separated by commas: a callback may be signed with any of them
 */
export function receiveCallback(
  sharedSecret: string,
  { path, headers, body }: CallbackRequest,
): PaymentGatewayCallback | RefusedCallback {
  const signature = {
    timestamp: headers.get('x-pg-timestamp') ?? undefined,
    signature: headers.get('x-pg-signature') ?? undefined,
  };
  if (!isSigned(sharedSecret, path, body, signature)) return { kind: 'UNAUTHENTICATED' };
  const callback = callbackSchema.safeParse(parseJson(body));
  return callback.success ? normalize(callback.data) : { kind: 'MALFORMED' };
}

function normalize(callback: z.infer<typeof callbackSchema>): PaymentGatewayCallback {
  if (callback.type === 'ARS') {
    const outcome = callback.state === 'PASSED' ? callback.state : callback.outcome;
    return {
      kind: 'ARS_CALL_ENDED',
      reference: callback.reference,
      attempt: callback.attempt,
      callId: callback.callId,
      outcome,
    };
  }
  const decision =
    callback.state === 'REGISTERED'
      ? { state: callback.state }
      : { state: callback.state, reason: callback.reason };
  return { kind: 'REGISTRATION_DECIDED', reference: callback.reference, decision };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}
