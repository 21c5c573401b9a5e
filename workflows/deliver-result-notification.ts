import { ParentClosePolicy, setCurrentDetails, sleep, startChild } from '@temporalio/workflow';
import type { NotificationState } from '../contract/activities.ts';
import { notificationWorkflowId } from '../contract/registration.ts';
import type { DeliveryInput } from '../contract/registration.ts';
import { deliver } from './activity-proxies.ts';

/**
 * Tells the service provider how a registration ended, until it acknowledges, wants no more, or the deliveries are
 * used up. It runs apart from the member's operations, so that a dead notification URL keeps no member waiting.
 */
export async function deliverResultNotification({
  registrationNumber,
  policy,
}: DeliveryInput): Promise<NotificationState> {
  let askedToWait = 0;
  for (const [index, wait] of policy.waits.entries()) {
    const pause = Math.max(askedToWait, Math.round(wait * (1 + Math.random() / 10)));
    const delivery = index + 1;
    const isLast = delivery === policy.waits.length;
    setCurrentDetails(
      `**Delivery ${delivery} of at most ${policy.waits.length}** of the result of \`${registrationNumber}\``,
    );
    if (pause > 0) await sleep(pause, { summary: `Wait before delivery ${delivery}` });
    const { state, retryAfter } = await deliver({ registrationNumber, delivery, isLast });
    if (state !== 'PENDING') return state;
    askedToWait = retryAfter;
  }
  return 'EXHAUSTED';
}

/** Starts {@link deliverResultNotification}, which goes on when the run that started it has ended. */
export async function startDelivery(input: DeliveryInput): Promise<void> {
  await startChild(deliverResultNotification, {
    workflowId: notificationWorkflowId(input.registrationNumber),
    args: [input],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: 'Tell the service provider how a registration ended',
  });
}
