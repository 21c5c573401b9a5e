import type { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { resultCodeOfRefusal } from '../../contract/refusal-reasons.ts';
import type { PaymentGatewayCallback } from '../../payment-gateway/payment-gateway.ts';
import type { Api } from '../context.ts';
import { allowOnly } from '../http/allowed-methods.ts';
import { afterCommit } from '../../runs/after-commit.ts';
import { wakeRun } from '../../runs/registration-run.ts';
import { addToCorrelation } from '../../runtime/correlation.ts';
import type { ApiParts } from '../parts.ts';

/**
 * `POST /pg/callbacks`: a callback of the payment gateway is verified, committed, then the run is woken, and only then
 * acknowledged; otherwise the payment gateway sends it again. What it says is decided by the ledger, not by the run.
 */
export function servePaymentGatewayCallbacks(app: Hono<Api>, parts: ApiParts): void {
  const { stores, temporal, paymentGateway, metrics } = parts;

  app.post('/pg/callbacks', async (context) => {
    const { path, raw } = context.req;
    const body = new Uint8Array(await context.req.arrayBuffer());
    const callback = await paymentGateway.receiveCallback({ path, headers: raw.headers, body });
    if (callback.kind === 'UNAUTHENTICATED') {
      const message = 'The signature does not match or is too old; sign the callback with the shared secret.';
      throw new HTTPException(401, { message });
    }
    if (callback.kind === 'MALFORMED') {
      throw new HTTPException(400, { message: 'The body must be a callback of the protocol.' });
    }
    const { kind, reference } = callback;
    const registration = await stores.registrations.findAny(reference);
    // What follows belongs to the request that began the registration.
    if (registration) addToCorrelation(registration);
    const isKnown = registration !== undefined && (await commit(callback));
    metrics.paymentGatewayCallbacks.inc({ kind, known: String(isKnown) });
    if (registration) await wakeRun(temporal, registration.userId);
    context.var.log.info({ reference, kind, isKnown }, 'callback received');
    return context.json({ acknowledged: true }, 200);
  });
  allowOnly(app, '/pg/callbacks', 'POST');

  /** @returns false when nothing was sent that this could be an answer to */
  async function commit(callback: PaymentGatewayCallback): Promise<boolean> {
    const committed = await decide(callback);
    await afterCommit(parts, committed);
    return committed.isKnown;
  }

  function decide(callback: PaymentGatewayCallback) {
    const { reference } = callback;
    if (callback.kind === 'ARS_CALL_ENDED') {
      const { attempt, callId, outcome } = callback;
      return stores.ledger.decideArsCall(reference, attempt, { callId, outcome }, 'CALLBACK');
    }
    const { decision } = callback;
    const verdict =
      decision.state === 'REGISTERED'
        ? decision
        : ({ state: 'REFUSED', resultCode: resultCodeOfRefusal[decision.reason] } as const);
    return stores.ledger.decideRegistration(reference, verdict, 'CALLBACK');
  }
}
