import { ParentClosePolicy, setCurrentDetails, sleep, startChild } from '@temporalio/workflow';
import type { NotificationState } from '../contract/activities.ts';
import { notificationWorkflowId } from '../contract/registration.ts';
import type { DeliveryInput } from '../contract/registration.ts';
import { sendResultNotification } from './activity-proxies.ts';

/**
 * Delivers the result of a registration to the service provider until it acknowledges it, answers 410 Gone, or no
 * delivery is left. It is separate from the member's operations, so that an unreachable notification URL never blocks a
 * member.
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
    const { state, retryAfter } = await sendResultNotification({ registrationNumber, delivery, isLast });
    if (state !== 'PENDING') return state;
    askedToWait = retryAfter;
  }
  return 'EXHAUSTED';
}

/** Starts {@link deliverResultNotification}, which outlives the run that started it. */
export async function startDelivery(input: DeliveryInput): Promise<void> {
  await startChild(deliverResultNotification, {
    workflowId: notificationWorkflowId(input.registrationNumber),
    args: [input],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: 'Notify the service provider of the result of a registration',
  });
}
