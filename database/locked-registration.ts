import { randomUUID } from 'node:crypto';
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm';
import { isOpen } from '../contract/effects.ts';
import type { Effect, EffectKind, EffectOutcome } from '../contract/effects.ts';
import type { EffectPolicy } from '../contract/registration-policy.ts';
import type { RegistrationState, RegistrationStep } from '../contract/registration.ts';
import type { RegistrationStatus } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { TimelineEntry, TimelineStep } from '../wire/timeline.ts';
import { queueRemoval } from './accounts.ts';
import type { Queries } from './database.ts';
import { requireKnownDatabase } from './incarnations.ts';
import { lockMember } from './locked-member.ts';
import type { LockedMember } from './locked-member.ts';
import { milestonesOf } from './milestones.ts';
import { queueNotification } from './result-notifications.ts';
import type { RowSealer, RowSeals } from './row-seals.ts';
import { databaseTime, effectKey, effects, registrations } from './schema.ts';

/** A registration without its personal part. */
export type RegistrationRecord = Omit<typeof registrations.$inferSelect, 'sealedDetails'>;

/** The columns of {@link RegistrationRecord}. */
export const { sealedDetails: _, ...recordColumns } = getTableColumns(registrations);

/** How long after its next wait a run is still believed to be alive, in ms. */
const lease = 30_000;

/** What is started once a transaction is committed; the sweep starts it if nobody else does. */
export interface FollowUp {
  readonly kind: 'NOTIFICATION' | 'REMOVAL';
  readonly registrationNumber: string;
}

/** What was said about an effect that had been decided otherwise. */
export interface Contradiction {
  readonly kind: EffectKind;
  readonly attempt: number;
  readonly said: EffectOutcome | 'REGISTERED';
}

/** What a transaction on a registration left behind. */
export interface Committed {
  /** Null when the registration was withdrawn. */
  readonly registration: RegistrationState | null;
  /** Whether this transaction ended it. */
  readonly ended: boolean;
  readonly followUps: readonly FollowUp[];
  /** Undefined if nothing new contradicts a decision. */
  readonly contradiction?: Contradiction | undefined;
}

type EffectRow = typeof effects.$inferSelect;

/**
 * A registration under its row lock: what is read here stays true until the transaction ends, and nobody else decides
 * meanwhile. Changes of the row are collected and written once.
 */
export class LockedRegistration {
  readonly transaction: Queries;
  readonly sealer: RowSealer;
  /** The database's time, read under the lock. */
  readonly now: Date;
  readonly followUps: FollowUp[] = [];
  readonly #rows: EffectRow[];
  readonly #milestones: number;
  #record: RegistrationRecord;
  #member: LockedMember | undefined;
  #changes: Partial<typeof registrations.$inferInsert> = {};
  #ended = false;
  #contradiction: Contradiction | undefined;

  constructor(
    transaction: Queries,
    sealer: RowSealer,
    now: Date,
    record: RegistrationRecord,
    rows: EffectRow[],
  ) {
    this.transaction = transaction;
    this.sealer = sealer;
    this.now = now;
    this.#milestones = milestonesOf(record);
    this.#record = record;
    this.#rows = rows;
  }

  get row(): RegistrationRecord {
    return this.#record;
  }

  /** Locks its member, too, once. To be called before an account is locked. @throws {AlteredRow} */
  async lockMember(): Promise<LockedMember> {
    return (this.#member ??= await lockMember(this.transaction, this.sealer, this.#record.userId));
  }

  /** Its effects of one kind, by attempt. */
  effects(kind: EffectKind): Effect[] {
    return this.#rows.filter((row) => row.kind === kind).map(toEffect);
  }

  /** Whether anything of it ever counted as sent. */
  get hasEffects(): boolean {
    return this.#rows.length > 0;
  }

  openEffect(kind: EffectKind): Effect | undefined {
    return this.effects(kind).find(isOpen);
  }

  change(changes: Partial<typeof registrations.$inferInsert>): void {
    this.#changes = { ...this.#changes, ...changes };
    this.#record = { ...this.#record, ...changes } as RegistrationRecord;
  }

  /** Adds an entry to the timeline. `until` is in Unix ms. */
  note(step: TimelineStep, outcome: string, attempt = 1, until?: number): void {
    const entry = {
      step,
      at: this.now.toISOString(),
      attempt,
      outcome,
      ...(until !== undefined && { until: new Date(until).toISOString() }),
    };
    this.change({ timeline: appendEntry(this.#record.timeline, entry) });
  }

  moveTo(step: RegistrationStep, status: RegistrationStatus = this.#record.status): void {
    this.change({ step, status, triedSince: this.now });
  }

  /** Believes the run for a wait of `milliseconds` and the lease after it. */
  renewLease(milliseconds = 0): void {
    const { lookAt, replacements } = this.#record;
    // A run that is heard of again is not replaced any later than another.
    if (replacements === 0 && lookAt.getTime() >= this.now.getTime() + milliseconds + lease / 2) return;
    this.change({ lookAt: new Date(this.now.getTime() + milliseconds + lease), replacements: 0 });
  }

  /**
   * Enters an effect as sent: it may leave once this transaction is committed. Only an effect that never left is sent
   * again under its number. `askAfter`: in ms. @returns the time it is fenced by
   */
  async send(
    kind: EffectKind,
    attempt: number,
    execution: string,
    policy: EffectPolicy,
    askAfter: number,
  ): Promise<Date> {
    const row = this.#sent(kind, attempt, execution, policy, askAfter);
    await this.#enterUnlessSent(row);
    return row.sendBy;
  }

  /**
   * Enters an effect as sent that nobody sends now: it may have been sent before the database was restored. So the payment
   * gateway is asked first. @returns the effect
   */
  async assume(kind: EffectKind, attempt: number, policy: EffectPolicy): Promise<Effect> {
    const row = this.#sent(kind, attempt, null, policy, 0);
    const assumed: EffectRow = { ...row, sentAt: this.#record.begunAt ?? this.#record.createdAt };
    await this.#enterUnlessSent(assumed);
    this.#keep(assumed);
    return toEffect(assumed);
  }

  /** Enters an effect as not sent yet, unless one is under way. */
  async order(kind: EffectKind, policy: EffectPolicy): Promise<void> {
    if (this.openEffect(kind)) return;
    const row = { ...this.#sent(kind, 1, null, policy, 0), state: 'NOT_SENT', decidedAt: this.now } as const;
    await this.transaction.insert(effects).values(row).onConflictDoUpdate({ target: effectKey, set: row });
  }

  /** Enters an effect that is idempotent at the payment gateway as sent, whatever became of it before. */
  async sendAgain(kind: EffectKind, policy: EffectPolicy): Promise<void> {
    const row = this.#sent(kind, 1, randomUUID(), policy, 0);
    await this.transaction.insert(effects).values(row).onConflictDoUpdate({ target: effectKey, set: row });
  }

  async #enterUnlessSent(row: EffectRow): Promise<void> {
    await this.transaction
      .insert(effects)
      .values(row)
      .onConflictDoUpdate({ target: effectKey, set: row, setWhere: eq(effects.state, 'NOT_SENT') });
  }

  #sent(
    kind: EffectKind,
    attempt: number,
    execution: string | null,
    policy: EffectPolicy,
    askAfter: number,
  ): EffectRow {
    const sentAt = this.now;
    const sendBy = new Date(sentAt.getTime() + policy.sendLimit);
    return {
      registrationNumber: this.#record.registrationNumber,
      kind,
      attempt,
      state: 'SENT',
      execution,
      sentAt,
      sendBy,
      settledAt: new Date(sendBy.getTime() + policy.settleTime),
      askAt: new Date(sentAt.getTime() + askAfter),
      asks: 0,
      outcome: null,
      callId: null,
      decidedBy: null,
      decidedAt: null,
      contradiction: null,
    };
  }

  async changeEffect({ kind, attempt }: Effect, changes: Partial<EffectRow>): Promise<void> {
    await this.transaction
      .update(effects)
      .set(changes)
      .where(
        and(
          eq(effects.registrationNumber, this.#record.registrationNumber),
          eq(effects.kind, kind),
          eq(effects.attempt, attempt),
        ),
      );
    const changed = this.#rows.find((row) => row.kind === kind && row.attempt === attempt)!;
    this.#keep({ ...changed, ...changes });
  }

  /** Keeps what was said after the decision. The decision stands. */
  async contradict({ kind, attempt }: Effect, said: Contradiction['said']): Promise<void> {
    const row = this.#rows.find((candidate) => candidate.kind === kind && candidate.attempt === attempt)!;
    if (row.contradiction === said) return;
    await this.changeEffect(toEffect(row), { contradiction: said });
    this.#contradiction = { kind, attempt, said };
  }

  #keep(effect: EffectRow): void {
    const index = this.#rows.findIndex(
      ({ kind, attempt }) => kind === effect.kind && attempt === effect.attempt,
    );
    this.#rows.splice(index < 0 ? this.#rows.length : index, 1, effect);
  }

  /** Queues the removal of an account at the payment gateway. Idempotent. */
  async queueRemoval(registrationNumber: string = this.#record.registrationNumber): Promise<void> {
    await queueRemoval(this.transaction, registrationNumber);
    this.followUps.push({ kind: 'REMOVAL', registrationNumber });
  }

  /**
   * Ends the registration, and queues the notification of its result. If a restore may have lost an attempt to register,
   * a failure is followed by a removal: of nothing, if there is nothing.
   * @throws {DatabaseRestored} when nobody has said yet what a restore lost
   */
  async end(status: RegistrationStatus, resultCode: ResultCode): Promise<void> {
    const restore = await requireKnownDatabase(this.transaction);
    this.note('ENDED', resultCode);
    // One that was cancelled before it began has its result to be reported.
    const begunAt = this.#record.begunAt ?? this.now;
    this.change({ status, resultCode, step: 'DONE', begunAt, endedAt: this.now });
    const { registrationNumber, createdAt } = this.#record;
    const hasLostAttempts = restore !== undefined && createdAt < restore.begunAt;
    if (hasLostAttempts && status !== 'BANK_ACC_REGISTERED') await this.queueRemoval();
    const member = await this.lockMember();
    const notificationSequence = await queueNotification(this.transaction, member, this.#record);
    if (notificationSequence !== null) this.followUps.push({ kind: 'NOTIFICATION', registrationNumber });
    this.change({ notificationSequence });
    this.#ended = true;
  }

  /** Writes what has changed, under a new seal, and has its member count the milestones. */
  async save(): Promise<Committed> {
    const milestones = milestonesOf(this.#record) - this.#milestones;
    if (milestones > 0) (await this.lockMember()).count(milestones);
    if (Object.keys(this.#changes).length > 0) {
      await this.transaction
        .update(registrations)
        .set({ ...this.#changes, seal: this.sealer.seal('registrations', this.#record) })
        .where(eq(registrations.registrationNumber, this.#record.registrationNumber));
    }
    await this.#member?.save();
    return {
      registration: this.#record.withdrawnAt ? null : toState(this.#record),
      ended: this.#ended,
      followUps: this.followUps,
      contradiction: this.#contradiction,
    };
  }
}

/**
 * Runs a transaction under the lock of a registration. Throws when there is no such registration.
 * @returns what `work` returns, with what the transaction left behind
 * @throws {AlteredRow} rather than seal what somebody else has written
 */
export async function lockRegistration<Answer extends object | void>(
  queries: Queries,
  rowSeals: RowSeals,
  registrationNumber: string,
  work: (locked: LockedRegistration) => Promise<Answer>,
): Promise<Committed & Answer> {
  return await queries.transaction(async (transaction) => {
    const sealer = await rowSeals.open(transaction);
    const ofNumber = eq(registrations.registrationNumber, registrationNumber);
    await transaction
      .select({ row: sql`1` })
      .from(registrations)
      .where(ofNumber)
      .for('no key update');
    // A statement of its own: the one that waits for the lock sees the effects as they were before its wait.
    const found = await transaction
      .select({ record: recordColumns, effect: effects, now: databaseTime })
      .from(registrations)
      .leftJoin(effects, eq(effects.registrationNumber, registrations.registrationNumber))
      .where(ofNumber)
      .orderBy(asc(effects.attempt));
    const [first] = found;
    if (!first) throw new Error(`There is no registration ${registrationNumber}.`);
    const rows = found.flatMap(({ effect }) => effect ?? []);
    const record = sealer.authentic('registrations', first.record);
    const locked = new LockedRegistration(transaction, sealer, first.now, record, rows);
    const answer = await work(locked);
    return { ...(await locked.save()), ...(answer as Answer) };
  });
}

/** Hundreds of steps in a row with the same outcome, such as inquiries, become one entry: the latest. */
function appendEntry(timeline: readonly TimelineEntry[], entry: TimelineEntry): readonly TimelineEntry[] {
  const last = timeline.at(-1);
  const isRepeat = last?.step === entry.step && last.outcome === entry.outcome;
  return [...(isRepeat ? timeline.slice(0, -1) : timeline), entry];
}

/** A registration as its run shows it. */
export function toState(record: RegistrationRecord): RegistrationState {
  const { registrationNumber, status, step, resultCode, timeline } = record;
  return { registrationNumber, status, step, resultCode, timeline };
}

/** An effect as decisions read it. */
export function toEffect(row: EffectRow): Effect {
  const { kind, attempt, state, outcome, callId, asks } = row;
  return {
    kind,
    attempt,
    state,
    outcome,
    callId,
    asks,
    sentAt: row.sentAt.getTime(),
    sendBy: row.sendBy.getTime(),
    settledAt: row.settledAt.getTime(),
    askAt: row.askAt.getTime(),
    isAssumed: row.execution === null,
    decidedAt: row.decidedAt?.getTime() ?? null,
  };
}
