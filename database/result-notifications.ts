import { eq, sql } from 'drizzle-orm';
import type { NotificationState } from '../contract/activities.ts';
import type { RegistrationStatus } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { Queries } from './database.ts';
import { members, projects, registrations, resultNotifications } from './schema.ts';

/** A result to be sent to a service provider, with its destination. */
export interface QueuedNotification {
  readonly aspId: string;
  /** Undefined when the project has none any more. */
  readonly notificationUrl: string | undefined;
  readonly bankAccRegNo: string;
  readonly userId: string;
  readonly status: RegistrationStatus;
  readonly resultCode: ResultCode;
  /** How the last ARS call ended, where that is why the registration failed. */
  readonly arsOutcome: string | undefined;
  readonly sequence: number;
  readonly occurredAt: Date;
}

/**
 * Queues the notification of a registration that ends in this transaction, where its project has a notification URL. The
 * number is taken in the same transaction, so the sequence of a member has neither gaps nor repeats.
 * @returns whether there is one. Idempotent.
 */
export async function queueNotification(
  transaction: Pick<Queries, 'select' | 'update' | 'insert'>,
  registrationNumber: string,
) {
  const [queued] = await transaction
    .select({
      notificationUrl: projects.notificationUrl,
      userId: registrations.userId,
      sequence: resultNotifications.sequence,
    })
    .from(registrations)
    .innerJoin(projects, eq(projects.aspId, registrations.aspId))
    .leftJoin(
      resultNotifications,
      eq(resultNotifications.registrationNumber, registrations.registrationNumber),
    )
    .where(eq(registrations.registrationNumber, registrationNumber));
  if (!queued) throw new Error(`There is no registration ${registrationNumber}.`);
  const { notificationUrl, userId, sequence } = queued;
  if (sequence !== null) return true;
  if (notificationUrl === null) return false;
  const [member] = await transaction
    .update(members)
    .set({ notificationSequence: sql`${members.notificationSequence} + 1` })
    .where(eq(members.userId, userId))
    .returning({ sequence: members.notificationSequence });
  await transaction
    .insert(resultNotifications)
    .values({ registrationNumber, userId, sequence: member!.sequence, state: 'PENDING' });
  return true;
}

/** The results to be sent to service providers. */
export function createResultNotifications(queries: Queries) {
  async function find(registrationNumber: string): Promise<QueuedNotification | undefined> {
    const [row] = await queries
      .select()
      .from(resultNotifications)
      .innerJoin(registrations, eq(registrations.registrationNumber, resultNotifications.registrationNumber))
      .innerJoin(projects, eq(projects.aspId, registrations.aspId))
      .where(eq(resultNotifications.registrationNumber, registrationNumber));
    const { status, resultCode, timeline } = row?.registrations ?? {};
    if (!row || !status || !resultCode) return undefined;
    return {
      aspId: row.registrations.aspId,
      notificationUrl: row.projects.notificationUrl ?? undefined,
      bankAccRegNo: registrationNumber,
      userId: row.registrations.userId,
      status,
      resultCode,
      arsOutcome:
        status === 'ARS_AUTH_FAILED'
          ? timeline?.findLast(({ step }) => step === 'ARS_CALL_ENDED')?.outcome
          : undefined,
      sequence: row.result_notifications.sequence,
      occurredAt: row.result_notifications.occurredAt,
    };
  }

  return {
    /** The notification of a registration, if it has ended with one. */
    find,

    /** The notification of a registration. Throws when there is none. */
    async open(registrationNumber: string): Promise<QueuedNotification> {
      const notification = await find(registrationNumber);
      if (!notification) throw new Error(`Registration ${registrationNumber} has no notification.`);
      return notification;
    },

    /** Records a delivery and its outcome. */
    async recordDelivery(registrationNumber: string, state: NotificationState): Promise<void> {
      await queries
        .update(resultNotifications)
        .set({
          state,
          deliveries: sql`${resultNotifications.deliveries} + 1`,
          ...(state === 'DELIVERED' && { deliveredAt: new Date() }),
        })
        .where(eq(resultNotifications.registrationNumber, registrationNumber));
    },
  };
}
