import type { GuardedPaymentGateway } from '../payment-gateway/circuit-breakers.ts';
import type { Stores } from '../database/stores.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { NotificationSender } from './notification-sender.ts';

/** The dependencies of the activities. */
export interface ActivityDependencies {
  readonly stores: Stores;
  readonly paymentGateway: GuardedPaymentGateway;
  readonly notificationSender: NotificationSender;
  readonly metrics: Metrics;
}
