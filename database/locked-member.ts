import { eq, getTableColumns, sql } from 'drizzle-orm';
import type { Queries } from './database.ts';
import type { RowSealer } from './row-seals.ts';
import { incarnations, members, projects } from './schema.ts';

const { sealedFacts: _, ...memberColumns } = getTableColumns(members);

type MemberRecord = Omit<typeof members.$inferSelect, 'sealedFacts'>;

/** After a restore, numbers go on beyond those that may have been used: receivers drop a number they know. */
const firstSequence =
  sql<number>`(select coalesce(max(${incarnations.firstSequence}), 1) from ${incarnations})`.mapWith(Number);

/** A member under its row lock, with what its row counts. Changes are collected and written once. */
export class LockedMember {
  readonly #transaction: Pick<Queries, 'update'>;
  readonly #sealer: RowSealer;
  readonly #project: typeof projects.$inferSelect;
  readonly #firstSequence: number;
  #record: MemberRecord;
  #isChanged = false;

  constructor(transaction: Pick<Queries, 'update'>, sealer: RowSealer, { member, project, first }: Found) {
    this.#transaction = transaction;
    this.#sealer = sealer;
    this.#record = member;
    this.#project = project;
    this.#firstSequence = first;
  }

  /** Counts milestones of the member's registrations and accounts: see `milestones.ts`. */
  count(milestones: number): void {
    if (milestones > 0) this.#change({ milestones: this.#record.milestones + milestones });
  }

  /**
   * Takes the number of the member's next result notification.
   * @returns null where the project has no notification URL
   * @throws {AlteredRow} when somebody else has changed the project: its results would go elsewhere, or nowhere
   */
  takeSequence(): number | null {
    if (this.#sealer.authentic('projects', this.#project).notificationUrl === null) return null;
    const notificationSequence = Math.max(this.#record.notificationSequence + 1, this.#firstSequence);
    this.#change({ notificationSequence });
    return notificationSequence;
  }

  #change(changes: Partial<MemberRecord>): void {
    this.#record = { ...this.#record, ...changes };
    this.#isChanged = true;
  }

  /** Writes what has changed, under a new seal. */
  async save(): Promise<void> {
    if (!this.#isChanged) return;
    const { userId, milestones, notificationSequence } = this.#record;
    const seal = this.#sealer.seal('members', this.#record);
    await this.#transaction
      .update(members)
      .set({ milestones, notificationSequence, seal })
      .where(eq(members.userId, userId));
  }
}

interface Found {
  readonly member: MemberRecord;
  readonly project: typeof projects.$inferSelect;
  readonly first: number;
}

/**
 * Locks a member. One change of a member's accounts at a time: two at once would not see each other's account. Whoever
 * locks a registration, its member and its account locks them in this order.
 * @throws {AlteredRow}
 */
export async function lockMember(
  transaction: Pick<Queries, 'select' | 'update'>,
  sealer: RowSealer,
  userId: string,
): Promise<LockedMember> {
  const [found] = await transaction
    .select({ member: memberColumns, project: projects, first: firstSequence })
    .from(members)
    .innerJoin(projects, eq(projects.aspId, members.aspId))
    .where(eq(members.userId, userId))
    .for('no key update', { of: members });
  if (!found) throw new Error(`There is no member ${userId}.`);
  sealer.authentic('members', found.member);
  return new LockedMember(transaction, sealer, found);
}
