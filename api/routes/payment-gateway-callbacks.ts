import { WorkflowNotFoundError } from '@temporalio/client';
import type { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { memberWorkflowId } from '../../contract/registration.ts';
import { arsCallEndedSignal, paymentGatewayDecidedSignal } from '../../contract/registration-messages.ts';
import { resultCodeOfRefusal } from '../../contract/refusal-reasons.ts';
import type { PaymentGatewayCallback } from '../../payment-gateway/payment-gateway.ts';
import type { Api } from '../context.ts';
import { allowOnly } from '../http/allowed-methods.ts';
import type { ApiParts } from '../parts.ts';

/** How long Temporal may take to persist a signal, in ms. */
const signalTimeout = 4_000;

/**
 * `POST /pg/callbacks`: signals the payment gateway's callbacks to the runs. A callback is acknowledged once Temporal
 * has persisted the signal, or when there is no run to signal; otherwise the payment gateway sends it again.
 */
export function servePaymentGatewayCallbacks(app: Hono<Api>, parts: ApiParts): void {
  const { stores, temporal, paymentGateway } = parts;

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
    const userId = await stores.registrations.findUserId(reference);
    const isSignalled = userId !== undefined && (await signal(userId, callback));
    context.var.log.info({ reference, kind, isSignalled }, 'callback received');
    return context.json({ acknowledged: true }, 200);
  });
  allowOnly(app, '/pg/callbacks', 'POST');

  /** @returns false when there is no run to signal */
  async function signal(userId: string, callback: PaymentGatewayCallback): Promise<boolean> {
    try {
      await temporal.withDeadline(Date.now() + signalTimeout, () => signalRun(userId, callback));
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  function signalRun(userId: string, callback: PaymentGatewayCallback): Promise<void> {
    const run = temporal.workflow.getHandle(memberWorkflowId(userId));
    const { reference: registrationNumber } = callback;
    if (callback.kind === 'ARS_CALL_ENDED') {
      const { attempt, callId, outcome } = callback;
      return run.signal(arsCallEndedSignal, { registrationNumber, attempt, callId, outcome });
    }
    const { decision } = callback;
    const verdict =
      decision.state === 'REGISTERED'
        ? decision
        : ({ state: 'REFUSED', resultCode: resultCodeOfRefusal[decision.reason] } as const);
    return run.signal(paymentGatewayDecidedSignal, { registrationNumber, verdict });
  }
}
