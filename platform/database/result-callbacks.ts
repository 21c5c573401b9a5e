import { eq, sql } from 'drizzle-orm';
import type { CallbackState } from '../../contract/activities.ts';
import type { RegistrationStatus } from '../../contract/registration.ts';
import type { ResultCode } from '../../contract/result-codes.ts';
import type { Queries } from './database.ts';
import { members, projects, registrations, resultCallbacks } from './schema.ts';

/** A result to be told to a service provider, and where. */
export interface ResultCallback {
  readonly aspId: string;
  /** Undefined when the project has none any more. */
  readonly callbackUrl: string | undefined;
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
 * Queues the callback of a registration that ends in this transaction, where its project has a callback URL. The
 * number is taken in the same transaction, so the sequence of a member has neither gaps nor repeats.
 * @returns whether there is one; the same again changes nothing.
 */
export async function queueCallback(
  transaction: Pick<Queries, 'select' | 'update' | 'insert'>,
  registrationNumber: string,
) {
  const [queued] = await transaction
    .select({
      callbackUrl: projects.callbackUrl,
      userId: registrations.userId,
      sequence: resultCallbacks.sequence,
    })
    .from(registrations)
    .innerJoin(projects, eq(projects.aspId, registrations.aspId))
    .leftJoin(resultCallbacks, eq(resultCallbacks.registrationNumber, registrations.registrationNumber))
    .where(eq(registrations.registrationNumber, registrationNumber));
  if (!queued) throw new Error(`There is no registration ${registrationNumber}.`);
  const { callbackUrl, userId, sequence } = queued;
  if (sequence !== null) return true;
  if (callbackUrl === null) return false;
  const [member] = await transaction
    .update(members)
    .set({ callbackSequence: sql`${members.callbackSequence} + 1` })
    .where(eq(members.userId, userId))
    .returning({ sequence: members.callbackSequence });
  await transaction
    .insert(resultCallbacks)
    .values({ registrationNumber, userId, sequence: member!.sequence, state: 'PENDING' });
  return true;
}

/** The results to be told to service providers. */
export function createResultCallbacks(queries: Queries) {
  async function find(registrationNumber: string): Promise<ResultCallback | undefined> {
    const [row] = await queries
      .select()
      .from(resultCallbacks)
      .innerJoin(registrations, eq(registrations.registrationNumber, resultCallbacks.registrationNumber))
      .innerJoin(projects, eq(projects.aspId, registrations.aspId))
      .where(eq(resultCallbacks.registrationNumber, registrationNumber));
    const { status, resultCode, timeline } = row?.registrations ?? {};
    if (!row || !status || !resultCode) return undefined;
    return {
      aspId: row.registrations.aspId,
      callbackUrl: row.projects.callbackUrl ?? undefined,
      bankAccRegNo: registrationNumber,
      userId: row.registrations.userId,
      status,
      resultCode,
      arsOutcome:
        status === 'ARS_AUTH_FAILED'
          ? timeline?.findLast(({ step }) => step === 'ARS_CALL_ENDED')?.outcome
          : undefined,
      sequence: row.result_callbacks.sequence,
      occurredAt: row.result_callbacks.occurredAt,
    };
  }

  return {
    /** The callback of a registration, if it has ended with one. */
    find,

    /** The callback of a registration. Throws when there is none. */
    async open(registrationNumber: string): Promise<ResultCallback> {
      const callback = await find(registrationNumber);
      if (!callback) throw new Error(`Registration ${registrationNumber} has no callback.`);
      return callback;
    },

    /** Writes down that it was sent, and what became of it. */
    async recordDelivery(registrationNumber: string, state: CallbackState): Promise<void> {
      await queries
        .update(resultCallbacks)
        .set({
          state,
          deliveries: sql`${resultCallbacks.deliveries} + 1`,
          ...(state === 'DELIVERED' && { deliveredAt: new Date() }),
        })
        .where(eq(resultCallbacks.registrationNumber, registrationNumber));
    },

    /** A member's callbacks, for operators and tests. */
    async listOf(userId: string) {
      return await queries.select().from(resultCallbacks).where(eq(resultCallbacks.userId, userId));
    },
  };
}
