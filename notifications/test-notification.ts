import type { Project } from '../database/projects.ts';
import { codes, resultCodes } from '../wire/result-codes.ts';
import { testRegistrationNumber } from '../wire/result-notification.ts';
import { createNotificationMessage } from './notification-message.ts';
import type { NotificationContent } from './notification-message.ts';
import { isAcknowledged } from './notification-sender.ts';
import type { NotificationSender } from './notification-sender.ts';

/** What came of a test notification. `answer` is the receiver's HTTP status, or why there was none. */
export type TestNotificationOutcome =
  | { readonly isSent: true; readonly isAcknowledged: boolean; readonly answer: number | string }
  | { readonly isSent: false; readonly obstacle: 'NOT_ACTIVE' | 'NO_URL' | 'NO_ACTIVE_KEYS' };

/** Sends a test notification to a project's notification URL, once. It is recorded nowhere. */
export async function sendTestNotification(
  project: Project,
  sender: NotificationSender,
): Promise<TestNotificationOutcome> {
  const { state, notificationUrl } = project;
  if (state !== 'ACTIVE') return { isSent: false, obstacle: 'NOT_ACTIVE' };
  if (notificationUrl === null) return { isSent: false, obstacle: 'NO_URL' };
  const now = new Date();
  const message = await createNotificationMessage(project, testContent(now), { now });
  if (!message) return { isSent: false, obstacle: 'NO_ACTIVE_KEYS' };
  const answer = await sender.send(notificationUrl, message);
  return {
    isSent: true,
    isAcknowledged: isAcknowledged(answer),
    answer: answer.reached ? answer.status : answer.reason,
  };
}

/** Even a receiver that does not know test notifications registers nothing: it failed, and 0 is no new sequence. */
function testContent(now: Date): NotificationContent {
  return {
    bankAccRegNo: testRegistrationNumber,
    userId: '0',
    status: 'BANK_ACC_REG_FAILED',
    response: { code: codes.CANCELLED, description: resultCodes[codes.CANCELLED].text },
    sequence: 0,
    occurredAt: now.toISOString(),
  };
}
