import { LosslessNumber, stringify } from 'lossless-json';
import type { Activities, NotificationState } from '../contract/activities.ts';
import { codes, resultCodes } from '../wire/result-codes.ts';
import type { Project } from '../database/projects.ts';
import type { QueuedNotification } from '../database/result-notifications.ts';
import { encryptMessage } from '../encryption/message-encryption.ts';
import { createCorrelationId, createTranToken, tranTimeOf } from '../encryption/tran-token.ts';
import type { NotificationAnswer } from './notification-sender.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** How long a project that has just become active may be known as another, in ms. */
const lookAgainAfter = 5_000;

/** Notifies service providers how registrations ended, in the platform's format. */
export function resultNotificationActivities({
  stores,
  notificationSender,
  metrics,
}: ActivityDependencies): Pick<Activities, 'deliverResultNotification'> {
  return {
    async deliverResultNotification({ registrationNumber }) {
      await stores.incarnations.requireKnown();
      const notification = await stores.resultNotifications.open(registrationNumber);
      const { state, deliveries, redeliveredAfter, dueIn } = notification;
      if (state !== 'PENDING' || dueIn > 0) return { state, delivery: deliveries, milliseconds: dueIn };
      const project = await stores.projects.find(notification.aspId);
      if (project?.state !== 'ACTIVE') {
        const isHeld = await stores.resultNotifications.hold(registrationNumber);
        // Where it has become active meanwhile, the next look knows that.
        return { state: isHeld ? 'HELD' : 'PENDING', delivery: deliveries, milliseconds: lookAgainAfter };
      }
      const { waits } = (await stores.policies.get(notification.policyId)).resultNotification;
      const delivery = deliveries + 1;
      const answer = await send(project, notification);
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
    if (notification.notificationUrl === undefined) return { reached: false };
    const message = await createMessage(project, notification, new Date());
    return message
      ? await notificationSender.send(notification.notificationUrl, message.headers, message.body)
      : { reached: false };
  }
}

/** Undefined when the project has no active key to sign or encrypt with. */
async function createMessage(project: Project, notification: QueuedNotification, now: Date) {
  // The platform's documents use the first issued key for notifications.
  const cryptoKey = project.cryptoKeys.find(({ state }) => state === 'ACTIVE');
  const secretKey = project.secretKeys.find(({ state }) => state === 'ACTIVE');
  if (!cryptoKey || !secretKey) return undefined;
  const content = Buffer.from(stringify(contentOf(notification)) ?? '');
  const body = JSON.stringify({ encData: await encryptMessage(content, cryptoKey.clientPublicKey) });
  const headers = {
    'Content-Type': 'application/json',
    'X-KM-User-AspId': project.aspId,
    'X-KM-Correlation-Id': createCorrelationId(now),
    'X-KM-Crypto-Key-Id': cryptoKey.cryptoKeyId,
    'X-KM-Tran-Token': createTranToken(body, secretKey.secret, now),
    'X-KM-Tran-Time': tranTimeOf(now),
    'X-KM-Time-Zone': 'UTC',
  };
  return { headers, body };
}

function contentOf(notification: QueuedNotification) {
  const { bankAccRegNo, userId, status, resultCode, arsOutcome, sequence, occurredAt } = notification;
  return {
    bankAccRegNo,
    userId: new LosslessNumber(userId),
    status,
    response: { code: resultCode, description: resultCodes[resultCode].text },
    ...(arsOutcome !== undefined && { arsOutcome }),
    sequence,
    occurredAt: occurredAt.toISOString(),
  };
}

function stateAfter(answer: NotificationAnswer, isLast: boolean): NotificationState {
  if (answer.reached && answer.status === 410) return 'GONE';
  const isSuccess = answer.reached && answer.status >= 200 && answer.status < 300;
  if (isSuccess && isAcknowledgement(answer.body)) return 'DELIVERED';
  return isLast ? 'EXHAUSTED' : 'PENDING';
}

/** Whether it is `{"response":{"code":"000_000",…}}`, as the platform documents it. */
function isAcknowledgement(body: string): boolean {
  try {
    const { response } = JSON.parse(body) as { response?: { code?: unknown } };
    return response?.code === codes.SUCCESS;
  } catch {
    return false;
  }
}
