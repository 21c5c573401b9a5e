import type { Metrics } from '../runtime/metrics.ts';
import { institutions } from '../wire/bank-codes.ts';
import { interceptPaymentGateway } from './interceptor.ts';
import type { PaymentGateway } from './payment-gateway.ts';

/** The payment gateway with the duration of each request measured, by operation and outcome, and by bank. */
export function withRequestMetrics(
  paymentGateway: PaymentGateway,
  { paymentGatewayRequests, bankRequests }: Pick<Metrics, 'paymentGatewayRequests' | 'bankRequests'>,
): PaymentGateway {
  return interceptPaymentGateway(paymentGateway, async ({ operation, bankCode }, send) => {
    const endRequest = paymentGatewayRequests.startTimer({ operation });
    const end = ({ outcome }: { readonly outcome: string }) => {
      const seconds = endRequest({ outcome });
      if (bankCode === undefined) return;
      // A code that was published once may still be in a row.
      const bank = bankCode in institutions ? bankCode : 'OTHER';
      bankRequests.observe({ bank, operation, outcome }, seconds);
    };
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
export function outcomeOf(answer: unknown): string {
  if (typeof answer === 'string') return answer;
  const hasState = typeof answer === 'object' && answer !== null && 'state' in answer;
  return hasState ? String(answer.state) : 'ANSWERED';
}
