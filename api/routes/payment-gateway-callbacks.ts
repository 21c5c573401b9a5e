import { WorkflowNotFoundError } from '@temporalio/client';
import type { Hono } from 'hono';
import { memberWorkflowId } from '../../contract/registration.ts';
import { arsCallEndedSignal, paymentGatewayDecidedSignal } from '../../contract/registration-messages.ts';
import { resultCodeOfRefusal } from '../../contract/refusal-reasons.ts';
import { callbackSchema } from '../../payment-gateway/http/callback.ts';
import type { Callback } from '../../payment-gateway/http/callback.ts';
import { isSigned } from '../../payment-gateway/http/signature.ts';
import type { Api, ApiParts } from '../context.ts';

/** How long Temporal may take to keep a signal, in ms. */
const signalDeadline = 4_000;

/**
 * `POST /pg/callbacks`: takes the payment gateway's callbacks and tells the run. A callback is acknowledged once
 * Temporal has kept it, or when there is no run left to tell; otherwise the payment gateway delivers it again.
 */
export function servePaymentGatewayCallbacks(app: Hono<Api>, parts: ApiParts): void {
  const { stores, temporal, paymentGatewaySecret } = parts;

  app.post('/pg/callbacks', async (context) => {
    const body = new Uint8Array(await context.req.arrayBuffer());
    const headers = {
      timestamp: context.req.header('x-pg-timestamp'),
      signature: context.req.header('x-pg-signature'),
    };
    if (!isSigned(paymentGatewaySecret, context.req.path, body, headers)) {
      return context.json({ error: 'The signature does not match, or is too old.' }, 401);
    }
    const callback = callbackSchema.safeParse(parseJson(body));
    if (!callback.success) return context.json({ error: 'This is no callback of the protocol.' }, 400);

    const userId = await stores.registrations.findUserId(callback.data.reference);
    const isKept = userId !== undefined && (await signal(userId, callback.data));
    context.var.log.info(
      { reference: callback.data.reference, type: callback.data.type, isKept },
      'callback taken',
    );
    return context.json({ acknowledged: true }, 200);
  });

  async function signal(userId: string, callback: Callback): Promise<boolean> {
    try {
      await temporal.withDeadline(Date.now() + signalDeadline, () => tell(userId, callback));
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  function tell(userId: string, callback: Callback): Promise<void> {
    const run = temporal.workflow.getHandle(memberWorkflowId(userId));
    const { reference: registrationNumber } = callback;
    if (callback.type === 'ARS') {
      const { attempt, callId } = callback;
      const outcome = callback.state === 'PASSED' ? 'PASSED' : callback.outcome;
      return run.signal(arsCallEndedSignal, { registrationNumber, attempt, callId, outcome });
    }
    const verdict =
      callback.state === 'REGISTERED'
        ? ({ state: 'REGISTERED' } as const)
        : ({ state: 'REFUSED', resultCode: resultCodeOfRefusal[callback.reason] } as const);
    return run.signal(paymentGatewayDecidedSignal, { registrationNumber, verdict });
  }
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}
