import { setCurrentDetails, sleep } from '@temporalio/workflow';
import type { NotificationState } from '../contract/activities.ts';
import type { RegistrationReference } from '../contract/registration.ts';
import { sendResultNotification } from './activity-proxies.ts';

/**
 * Delivers the result of a registration to the service provider until it acknowledges it, answers 410 Gone, or no
 * delivery is left; one that is held back has no run until its project is active again. It is separate from the member's operations, so that a dead notification URL never blocks a member.
 * A new run continues with the delivery that is due.
 */
export async function deliverResultNotification({
  registrationNumber,
}: RegistrationReference): Promise<NotificationState | 'HELD'> {
  for (;;) {
    const { state, delivery, milliseconds } = await sendResultNotification({ registrationNumber });
    if (state !== 'PENDING') return state;
    setCurrentDetails(
      `**Delivery ${delivery}** of the result of \`${registrationNumber}\` was not acknowledged`,
    );
    await sleep(milliseconds, { summary: `Wait before delivery ${delivery + 1}` });
  }
}
