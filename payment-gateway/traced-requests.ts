import type { Tracing } from '../runtime/tracing.ts';
import { interceptPaymentGateway } from './interceptor.ts';
import type { PaymentGateway } from './payment-gateway.ts';
import { outcomeOf } from './request-metrics.ts';

/** The payment gateway with a span around each request. */
export function withTracing(
  paymentGateway: PaymentGateway,
  tracing: Pick<Tracing, 'inSpan'>,
): PaymentGateway {
  return interceptPaymentGateway(paymentGateway, ({ operation }, send) =>
    tracing.inSpan({ name: `payment gateway ${operation}`, kind: 'CLIENT' }, async ({ add }) => {
      const answer = await send();
      add({ 'payment_gateway.outcome': outcomeOf(answer) });
      return answer;
    }),
  );
}
