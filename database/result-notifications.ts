import { and, asc, eq, inArray, lte, sql } from 'drizzle-orm';
import type { NotificationState } from '../contract/activities.ts';
import type { FinalStatus } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { Queries } from './database.ts';
import type { LockedMember } from './locked-member.ts';
import type { RegistrationRecord } from './locked-registration.ts';
import type { RowSeals } from './row-seals.ts';
import { databaseTime, projects, registrations, resultNotifications, statementTime } from './schema.ts';

/** A result to be sent to a service provider. */
export interface QueuedNotification {
  readonly aspId: string;
  readonly bankAccRegNo: string;
  readonly userId: string;
  readonly status: FinalStatus;
  readonly resultCode: ResultCode;
  /** How the last ARS call ended, where that is why the registration failed. */
  readonly arsOutcome: string | undefined;
  readonly sequence: number;
  readonly occurredAt: Date;
  readonly state: NotificationState;
  /** How often it was sent so far. */
  readonly deliveries: number;
  /** How often it had been sent when an operator last had it delivered again: these do not count as attempts. */
  readonly redeliveredAfter: number;
  /** How long until the next delivery, in ms; 0 if it is due. */
  readonly dueIn: number;
  readonly policyId: string;
  /** Of the request that began the registration; null: a restore has lost it. */
  readonly correlationId: string | null;
}

/**
 * Queues the notification of a result where the project has a notification URL. Its number is taken in the same transaction,
 * so the sequence of a member has neither gaps nor repeats.
 * @returns the number; null where there is no notification
 * @throws {AlteredRow}
 */
export async function queueNotification(
  transaction: Pick<Queries, 'insert'>,
  member: LockedMember,
  { registrationNumber, userId }: Pick<RegistrationRecord, 'registrationNumber' | 'userId'>,
): Promise<number | null> {
  const sequence = member.takeSequence();
  if (sequence === null) return null;
  await transaction
    .insert(resultNotifications)
    .values({ registrationNumber, userId, sequence, state: 'PENDING' });
  return sequence;
}

/** How long after its next delivery the run of a notification is still believed to be alive, in ms. */
const lease = 2 * 60 * 1_000;

/** When the sweep looks at a notification that is held back: never. */
export const heldBack = sql`'9999-12-31'::timestamptz`;

/** Makes the notifications of a service provider due that were held back. Each goes on where it was. */
export async function releaseNotifications(queries: Queries, aspId: string): Promise<void> {
  const ofProject = queries
    .select({ registrationNumber: registrations.registrationNumber })
    .from(registrations)
    .where(eq(registrations.aspId, aspId));
  await queries
    .update(resultNotifications)
    .set({ lookAt: after(0) })
    .where(
      and(
        eq(resultNotifications.state, 'PENDING'),
        eq(resultNotifications.lookAt, heldBack),
        inArray(resultNotifications.registrationNumber, ofProject),
      ),
    );
}

/** The database's time in so many ms. */
function after(milliseconds: number) {
  return sql`clock_timestamp() + ${`${milliseconds} milliseconds`}::interval`;
}

/** The results to be sent to service providers. */
export function createResultNotifications(queries: Queries, rowSeals: RowSeals) {
  async function find(registrationNumber: string): Promise<QueuedNotification | undefined> {
    const [row] = await queries
      .select({ notification: resultNotifications, registration: registrations, now: databaseTime })
      .from(resultNotifications)
      .innerJoin(registrations, eq(registrations.registrationNumber, resultNotifications.registrationNumber))
      .where(eq(resultNotifications.registrationNumber, registrationNumber));
    if (!row) return undefined;
    const { notification, now } = row;
    const registration = (await rowSeals.open()).authentic('registrations', row.registration);
    const { aspId, userId, status, resultCode, timeline, endedAt } = registration;
    const { policyId, correlationId, notificationSequence } = registration;
    if (!resultCode || !endedAt || notificationSequence === null) return undefined;
    return {
      aspId,
      bankAccRegNo: registrationNumber,
      userId,
      // It has a notification, so it has ended.
      status: status as FinalStatus,
      resultCode,
      arsOutcome:
        status === 'ARS_AUTH_FAILED'
          ? timeline.findLast(({ step }) => step === 'ARS_CALL_ENDED')?.outcome
          : undefined,
      sequence: notificationSequence,
      occurredAt: endedAt,
      state: notification.state,
      deliveries: notification.deliveries,
      redeliveredAfter: notification.redeliveredAfter,
      dueIn: Math.max(notification.nextDeliveryAt.getTime() - now.getTime(), 0),
      policyId,
      correlationId,
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

    /**
     * Takes notifications whose delivery is overdue, the longest first; each is overdue again after a minute.
     * @returns the numbers of their registrations
     */
    async takeOverdue(limit: number): Promise<string[]> {
      const overdue = queries
        .select({ registrationNumber: resultNotifications.registrationNumber })
        .from(resultNotifications)
        .where(and(eq(resultNotifications.state, 'PENDING'), lte(resultNotifications.lookAt, statementTime)))
        .orderBy(asc(resultNotifications.lookAt))
        .limit(limit)
        .for('no key update', { skipLocked: true });
      const taken = await queries
        .update(resultNotifications)
        .set({ lookAt: sql`clock_timestamp() + interval '1 minute'` })
        .where(inArray(resultNotifications.registrationNumber, overdue))
        .returning({ registrationNumber: resultNotifications.registrationNumber });
      return taken.map(({ registrationNumber }) => registrationNumber);
    },

    /** Makes a notification due at once, with the same sequence number and as many attempts as at first. */
    async requeue(registrationNumber: string): Promise<void> {
      await queries
        .update(resultNotifications)
        .set({
          state: 'PENDING',
          redeliveredAfter: resultNotifications.deliveries,
          nextDeliveryAt: after(0),
          lookAt: after(lease),
        })
        .where(eq(resultNotifications.registrationNumber, registrationNumber));
    },

    /**
     * Holds a notification back until its project is active again: see `projects.setState`.
     * @returns false when the project is active
     */
    async hold(registrationNumber: string): Promise<boolean> {
      return await queries.transaction(async (transaction) => {
        const [project] = await transaction
          .select({ state: projects.state })
          .from(projects)
          .innerJoin(registrations, eq(registrations.aspId, projects.aspId))
          .where(eq(registrations.registrationNumber, registrationNumber))
          // Against an activation at the same time, which would not see this notification.
          .for('share', { of: projects });
        if (project?.state === 'ACTIVE') return false;
        await transaction
          .update(resultNotifications)
          .set({ lookAt: heldBack })
          .where(
            and(
              eq(resultNotifications.registrationNumber, registrationNumber),
              eq(resultNotifications.state, 'PENDING'),
            ),
          );
        return true;
      });
    },

    /**
     * Records the outcome of a delivery, unless another run has recorded one meanwhile.
     * @param delivery which one it is, from 1
     * @param wait how long until the next one, in ms
     */
    async recordDelivery(
      registrationNumber: string,
      delivery: number,
      state: NotificationState,
      wait: number,
    ): Promise<void> {
      await queries
        .update(resultNotifications)
        .set({
          state,
          deliveries: delivery,
          nextDeliveryAt: after(wait),
          lookAt: after(wait + lease),
          ...(state === 'DELIVERED' && { deliveredAt: new Date() }),
        })
        .where(
          and(
            eq(resultNotifications.registrationNumber, registrationNumber),
            eq(resultNotifications.state, 'PENDING'),
            eq(resultNotifications.deliveries, delivery - 1),
          ),
        );
    },
  };
}
