import type { Activities, NotificationState } from '../contract/activities.ts';
import type { Project } from '../database/projects.ts';
import type { QueuedNotification } from '../database/result-notifications.ts';
import { createNotificationMessage } from '../notifications/notification-message.ts';
import type { NotificationContent } from '../notifications/notification-message.ts';
import { isAcknowledged } from '../notifications/notification-sender.ts';
import type { NotificationAnswer } from '../notifications/notification-sender.ts';
import { noTracing } from '../runtime/tracing.ts';
import { addToCorrelation } from '../runtime/correlation.ts';
import { resultCodes } from '../wire/result-codes.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** How long a project that has just become active may be known as another, in ms. */
const lookAgainAfter = 5_000;

/** Notifies service providers how registrations ended, in the platform's format. */
export function resultNotificationActivities({
  stores,
  notificationSender,
  metrics,
  tracing = noTracing,
}: ActivityDependencies): Pick<Activities, 'deliverResultNotification'> {
  return {
    async deliverResultNotification({ registrationNumber }) {
      await stores.incarnations.requireKnown();
      const notification = await stores.resultNotifications.open(registrationNumber);
      const { state, deliveries, redeliveredAfter, dueIn, correlationId } = notification;
      addToCorrelation({ correlationId });
      if (state !== 'PENDING' || dueIn > 0) return { state, delivery: deliveries, milliseconds: dueIn };
      const project = await stores.projects.find(notification.aspId);
      if (project?.state !== 'ACTIVE') {
        const isHeld = await stores.resultNotifications.hold(registrationNumber);
        // Where it has become active meanwhile, the next look knows that.
        return { state: isHeld ? 'HELD' : 'PENDING', delivery: deliveries, milliseconds: lookAgainAfter };
      }
      const { waits } = (await stores.policies.get(notification.policyId)).resultNotification;
      const delivery = deliveries + 1;
      const answer = await tracing.inSpan(
        { name: 'result notification', kind: 'CLIENT' },
        async ({ add }) => {
          const answered = await send(project, notification);
          add(
            answered.reached
              ? { 'http.response.status_code': answered.status }
              : { 'error.type': answered.reason },
          );
          return answered;
        },
      );
      const attempt = delivery - redeliveredAfter;
      const next = stateAfter(answer, attempt >= waits.length);
      const wait = Math.round((waits[attempt] ?? 0) * (1 + Math.random() / 10));
      const milliseconds = Math.max(wait, answer.reached ? answer.retryAfter : 0);
      await stores.resultNotifications.recordDelivery(registrationNumber, delivery, next, milliseconds);
      metrics.resultNotifications.inc({ state: next });
      return { state: next, delivery, milliseconds };
    },
  };

  async function send(project: Project, notification: QueuedNotification): Promise<NotificationAnswer> {
    const { notificationUrl } = project;
    if (notificationUrl === null) return { reached: false, reason: 'no URL' };
    const { correlationId } = notification;
    const message = await createNotificationMessage(project, contentOf(notification), {
      now: new Date(),
      correlationId,
    });
    return message
      ? await notificationSender.send(notificationUrl, message)
      : { reached: false, reason: 'no active keys' };
  }
}

function contentOf(notification: QueuedNotification): NotificationContent {
  const { bankAccRegNo, userId, status, resultCode, arsOutcome, sequence, occurredAt } = notification;
  return {
    bankAccRegNo,
    userId,
    status,
    response: { code: resultCode, description: resultCodes[resultCode].text },
    ...(arsOutcome !== undefined && { arsOutcome }),
    sequence,
    occurredAt: occurredAt.toISOString(),
  };
}

function stateAfter(answer: NotificationAnswer, isLast: boolean): NotificationState {
  if (answer.reached && answer.status === 410) return 'GONE';
  if (isAcknowledged(answer)) return 'DELIVERED';
  return isLast ? 'EXHAUSTED' : 'PENDING';
}
