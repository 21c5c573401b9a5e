import type { Metrics } from '../runtime/metrics.ts';
import { interceptPaymentGateway } from './interceptor.ts';
import type { PaymentGateway } from './payment-gateway.ts';

/** The payment gateway with the duration of each request measured, by operation and outcome. */
export function withRequestMetrics(
  paymentGateway: PaymentGateway,
  { paymentGatewayRequests }: Pick<Metrics, 'paymentGatewayRequests'>,
): PaymentGateway {
  return interceptPaymentGateway(paymentGateway, async ({ operation }, send) => {
    const end = paymentGatewayRequests.startTimer({ operation });
    try {
      const answer = await send();
      end({ outcome: outcomeOf(answer) });
      return answer;
    } catch (error) {
      end({ outcome: 'UNAVAILABLE' });
      throw error;
    }
  });
}

/** The verdict or state in an answer, which the protocol has a closed list of. */
function outcomeOf(answer: unknown): string {
  if (typeof answer === 'string') return answer;
  const hasState = typeof answer === 'object' && answer !== null && 'state' in answer;
  return hasState ? String(answer.state) : 'ANSWERED';
}
