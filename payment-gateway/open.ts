import { withCircuitBreakers } from './circuit-breakers.ts';
import type { CircuitBreakerOptions, GuardedPaymentGateway } from './circuit-breakers.ts';
import { createHttpPaymentGateway } from './http/http-payment-gateway.ts';
import { withRequestMetrics } from './request-metrics.ts';
import type { Metrics } from '../runtime/metrics.ts';

/** The variables that say where the payment gateway is. */
interface PaymentGatewayConfig {
  readonly PG_BASE_URL: string;
  readonly PG_SHARED_SECRET: string;
  readonly PG_CALLBACK_URL: string;
}

/** The payment gateway as a process uses it: over HTTP, measured, behind circuit breakers. */
export function openPaymentGateway(
  config: PaymentGatewayConfig,
  metrics: Metrics,
  circuitBreakers?: CircuitBreakerOptions,
): GuardedPaymentGateway {
  const paymentGateway = createHttpPaymentGateway({
    baseUrl: config.PG_BASE_URL,
    sharedSecret: config.PG_SHARED_SECRET,
    callbackUrl: config.PG_CALLBACK_URL,
  });
  const guarded = withCircuitBreakers(withRequestMetrics(paymentGateway, metrics), circuitBreakers);
  metrics.watchCircuits(() => guarded.openCircuits());
  return guarded;
}
