import type { PaymentGateway } from './payment-gateway.ts';
import type { Metrics } from '../runtime/metrics.ts';

/** The payment gateway with every request measured, by operation and by what came of it. */
export function measurePaymentGateway(
  paymentGateway: PaymentGateway,
  { paymentGatewayRequests }: Pick<Metrics, 'paymentGatewayRequests'>,
): PaymentGateway {
  return new Proxy(paymentGateway, {
    get(target, operation: keyof PaymentGateway) {
      const ask = target[operation] as (...parameters: unknown[]) => Promise<unknown>;
      return async (...parameters: unknown[]) => {
        const end = paymentGatewayRequests.startTimer({ operation });
        try {
          const answer = await ask(...parameters);
          end({ outcome: outcomeOf(answer) });
          return answer;
        } catch (error) {
          end({ outcome: 'UNAVAILABLE' });
          throw error;
        }
      };
    },
  });
}

/** The verdict or state of an answer, which the protocol has a closed list of. */
function outcomeOf(answer: unknown): string {
  if (typeof answer === 'string') return answer;
  const hasState = typeof answer === 'object' && answer !== null && 'state' in answer;
  return hasState ? String(answer.state) : 'ANSWERED';
}
