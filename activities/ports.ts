import type { GuardedPaymentGateway } from '../payment-gateway/circuit-breakers.ts';
import type { Stores } from '../platform/database/stores.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { CallbackSender } from './callback-sender.ts';

/** What the activities reach the world through. */
export interface Ports {
  readonly stores: Stores;
  readonly paymentGateway: GuardedPaymentGateway;
  readonly callbackSender: CallbackSender;
  readonly metrics: Metrics;
}
