import type { GuardedPaymentGateway } from '../payment-gateway/circuit-breakers.ts';
import type { Stores } from '../database/stores.ts';
import type { CommitParts } from '../runs/after-commit.ts';
import type { Tracing } from '../runtime/tracing.ts';
import type { NotificationSender } from '../notifications/notification-sender.ts';

/** What the activities work with. */
export interface ActivityDependencies extends CommitParts {
  readonly stores: Stores;
  readonly paymentGateway: GuardedPaymentGateway;
  readonly notificationSender: NotificationSender;
  /** Default: none. */
  readonly tracing?: Pick<Tracing, 'inSpan'> | undefined;
}
