import { z } from 'zod';
import { finalStatuses } from './registration-status.ts';
import { codes, resultCodes } from './result-codes.ts';

/** The registration number of a test notification. A real one starts with its date. */
export const testRegistrationNumber = 'TEST000000000000000000';

/** What a result notification says, once it is decrypted. */
export const resultNotificationSchema = z.object({
  bankAccRegNo: z.string().meta({
    description: `The registration number. \`${testRegistrationNumber}\` marks a test notification.`,
  }),
  userId: z.string().regex(/^\d+$/).meta({
    description:
      'The member ID, up to 20 digits: more than a double can hold. It exceeds int64 from 9223372036854775808 on.',
  }),
  status: z.enum(finalStatuses).meta({ description: 'How the registration ended.' }),
  response: z.object({ code: z.string(), description: z.string() }).meta({
    description: 'Why it ended so: the code and the text with which the inquiry answers.',
  }),
  arsOutcome: z.string().optional().meta({
    description:
      'How the last ARS call ended, or why there was none: `NO_ANSWER`, `WRONG_CODE`, …. Only with the status `ARS_AUTH_FAILED`.',
  }),
  sequence: z.int().nonnegative().meta({
    description: "Counts the member's notifications, from 1. A repeated notification has the same number.",
  }),
  occurredAt: z.iso.datetime().meta({ description: 'When the registration ended, in UTC.' }),
});

/** What a service provider answers once it has stored a notification. */
export const notificationAcknowledgement = {
  response: { code: codes.SUCCESS, description: resultCodes[codes.SUCCESS].text },
} as const;

/** Whether an HTTP answer acknowledges a notification: any 2xx with `{"response":{"code":"000_000",…}}`. */
export function isAcknowledgement({
  status,
  body,
}: {
  readonly status: number;
  readonly body: string;
}): boolean {
  if (status < 200 || status >= 300) return false;
  try {
    const { response } = JSON.parse(body) as { response?: { code?: unknown } };
    return response?.code === codes.SUCCESS;
  } catch {
    return false;
  }
}
