import type { Service } from '../../composition/open-service.ts';
import type { Actor } from '../../database/audit-trail.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { createNotificationSender } from '../../notifications/notification-sender.ts';
import type { PaymentGateway } from '../../payment-gateway/payment-gateway.ts';
import { runOperatorCommand } from '../../operator/run.ts';

/** What an operator's command wrote, and its exit code. */
export interface OperatorOutcome {
  readonly exitCode: number;
  readonly lines: readonly { readonly text: string; readonly isError: boolean }[];
}

/** Carries out operator's commands inside the service, because no second process can open the embedded database. */
export function createSandboxOperator(
  service: Pick<Service, 'stores' | 'temporal' | 'metrics' | 'log' | 'database'> & {
    readonly paymentGateway: PaymentGateway;
  },
  policy: RegistrationPolicy,
): (words: readonly string[], actor: Actor) => Promise<OperatorOutcome> {
  const notificationSender = createNotificationSender({ allowLoopback: true });
  return async (words, actor) => {
    const lines: { text: string; isError: boolean }[] = [];
    const exitCode = await runOperatorCommand(words, {
      print: (text) => lines.push({ text, isError: false }),
      printError: (text) => lines.push({ text, isError: true }),
      openTemporal: () => service,
      openAll: async () => ({
        ...service,
        actor,
        secondPersonFor: [],
        policy,
        notificationSender,
        openPaymentGateway: () => service.paymentGateway,
      }),
    });
    return { exitCode, lines };
  };
}
