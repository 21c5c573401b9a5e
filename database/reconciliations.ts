import { and, asc, count, desc, eq, gt, inArray, isNotNull, isNull, lt, ne, sql } from 'drizzle-orm';
import { findingKinds, reconciliationKinds } from '../contract/reconciliation.ts';
import type {
  FindingDetail,
  ReconciliationCounts,
  ReconciliationFinding,
  ReconciliationKind,
  ReconciliationPage,
  ReconciliationReport,
} from '../contract/reconciliation.ts';
import type { Queries } from './database.ts';
import { accounts, reconciledRegistrations, reconciliations, registrations } from './schema.ts';

/** A registered entry of the payment gateway's ledger, compared with our registration. */
export interface ComparedEntry {
  readonly registrationNumber: string;
  readonly entryId: string;
  /** How it differs from our registration; null if it does not. */
  readonly difference: FindingDetail | null;
}

/** A registration with its state in both ledgers. */
export interface ComparedRegistration {
  readonly registrationNumber: string;
  /** The number of registered entries in the payment gateway's ledger. */
  readonly entries: number;
  /** How one of them differs from our registration. */
  readonly difference: FindingDetail | null;
  readonly ourState:
    | 'UNKNOWN'
    | 'IN_PROGRESS'
    | 'OVERDUE'
    | 'FAILED'
    | 'ACTIVE'
    | 'AWAITING_REMOVAL'
    | 'REMOVED';
}

/** The result of a comparison. `kind` is null if neither ledger has the registration any more. */
export interface Conclusion {
  readonly registrationNumber: string;
  readonly kind: ReconciliationKind | null;
  readonly detail: FindingDetail | null;
}

/** How long a reconciliation may take before it counts as terminated, in ms: a week. */
const abandonedAfter = 7 * 24 * 60 * 60 * 1_000;

/** After this time an open registration is a finding: its run was terminated, or no operator resolves its review. */
const overdueAfter = sql`interval '30 days'`;

/** The reconciliations and what they found. */
export function createReconciliations(queries: Queries) {
  const ofReconciliation = (id: string) => eq(reconciledRegistrations.reconciliationId, id);
  const isFinding = inArray(reconciledRegistrations.kind, [...findingKinds]);

  const key = [reconciledRegistrations.reconciliationId, reconciledRegistrations.registrationNumber];

  const compared = () =>
    queries
      .select({
        registrationNumber: reconciledRegistrations.registrationNumber,
        entries: sql<number>`cardinality(${reconciledRegistrations.entryIds})`.mapWith(Number),
        difference: reconciledRegistrations.difference,
        ourState: sql<ComparedRegistration['ourState']>`case
          when ${registrations.registrationNumber} is null then 'UNKNOWN'
          when ${accounts.state} in ('REPLACED', 'DELETED') then 'AWAITING_REMOVAL'
          when ${accounts.state} is not null then ${accounts.state}
          when ${registrations.endedAt} is null and ${registrations.createdAt} < now() - ${overdueAfter} then 'OVERDUE'
          when ${registrations.endedAt} is null then 'IN_PROGRESS'
          else 'FAILED' end`,
      })
      .from(reconciledRegistrations)
      .leftJoin(
        registrations,
        eq(registrations.registrationNumber, reconciledRegistrations.registrationNumber),
      )
      .leftJoin(accounts, eq(accounts.registrationNumber, reconciledRegistrations.registrationNumber));

  return {
    /** Records the start of a reconciliation and deletes those that were terminated. Idempotent. */
    async begin(reconciliationId: string): Promise<void> {
      await queries
        .delete(reconciliations)
        .where(
          and(
            isNull(reconciliations.endedAt),
            lt(reconciliations.startedAt, new Date(Date.now() - abandonedAfter)),
          ),
        );
      await queries.insert(reconciliations).values({ reconciliationId }).onConflictDoNothing();
    },

    /** Adds registered entries of the payment gateway's ledger. Idempotent. */
    async addEntries(reconciliationId: string, entries: readonly ComparedEntry[]): Promise<void> {
      const rows = new Map<string, typeof reconciledRegistrations.$inferInsert>();
      for (const { registrationNumber, entryId, difference } of entries) {
        const added = rows.get(registrationNumber);
        rows.set(registrationNumber, {
          reconciliationId,
          registrationNumber,
          entryIds: [...(added?.entryIds ?? []), entryId],
          difference: added?.difference ?? difference,
        });
      }
      if (rows.size === 0) return;
      const { entryIds, difference } = reconciledRegistrations;
      await queries
        .insert(reconciledRegistrations)
        .values([...rows.values()])
        .onConflictDoUpdate({
          target: key,
          set: {
            entryIds: sql`array(select distinct unnest(${entryIds} || excluded.entry_ids))`,
            difference: sql`coalesce(${difference}, excluded.difference)`,
          },
        });
    },

    /**
     * Adds a page of our accounts that should be in the payment gateway's ledger, unless they were added before: those
     * that are not removed and were activated before the reconciliation began. Idempotent. @returns the next cursor
     */
    async addAccounts({ reconciliationId, cursor, size }: ReconciliationPage): Promise<string | null> {
      const begin = queries
        .select({ startedAt: reconciliations.startedAt })
        .from(reconciliations)
        .where(eq(reconciliations.reconciliationId, reconciliationId));
      const rows = await queries
        .select({ registrationNumber: accounts.registrationNumber })
        .from(accounts)
        .where(
          and(
            ne(accounts.state, 'REMOVED'),
            lt(accounts.activatedAt, begin),
            gt(accounts.registrationNumber, cursor ?? ''),
          ),
        )
        .orderBy(asc(accounts.registrationNumber))
        .limit(size);
      if (rows.length > 0) {
        await queries
          .insert(reconciledRegistrations)
          .values(rows.map((row) => ({ ...row, reconciliationId, entryIds: [] })))
          .onConflictDoNothing();
      }
      return nextCursor(rows, size);
    },

    /** A page of the registrations that were added: all of them, or those with a finding so far. */
    async listCompared(
      { reconciliationId, cursor, size }: ReconciliationPage,
      which: 'ALL' | 'FINDINGS',
    ): Promise<ComparedRegistration[]> {
      return await compared()
        .where(
          and(
            ofReconciliation(reconciliationId),
            gt(reconciledRegistrations.registrationNumber, cursor ?? ''),
            which === 'FINDINGS' ? isFinding : undefined,
          ),
        )
        .orderBy(asc(reconciledRegistrations.registrationNumber))
        .limit(size);
    },

    /** One registration with its present state here. Throws if it was not added. */
    async readCompared(reconciliationId: string, registrationNumber: string): Promise<ComparedRegistration> {
      const [row] = await compared().where(
        and(
          ofReconciliation(reconciliationId),
          eq(reconciledRegistrations.registrationNumber, registrationNumber),
        ),
      );
      if (!row) throw new Error(`Reconciliation ${reconciliationId} has no such registration.`);
      return row;
    },

    /** Stores conclusions, replacing earlier ones. */
    async conclude(reconciliationId: string, conclusions: readonly Conclusion[]): Promise<void> {
      if (conclusions.length === 0) return;
      await queries
        .insert(reconciledRegistrations)
        .values(conclusions.map((conclusion) => ({ ...conclusion, reconciliationId, entryIds: [] })))
        .onConflictDoUpdate({
          target: key,
          set: { kind: sql`excluded.kind`, detail: sql`excluded.detail` },
        });
    },

    /**
     * Counts the results and records the end of a reconciliation. Idempotent.
     * @param auditTrailHead the end of the audit trail, as it is published
     */
    async end(reconciliationId: string, auditTrailHead: string | null): Promise<void> {
      const counted = await queries
        .select({ kind: reconciledRegistrations.kind, number: count() })
        .from(reconciledRegistrations)
        .where(ofReconciliation(reconciliationId))
        .groupBy(reconciledRegistrations.kind);
      const numberOf = (kind: ReconciliationKind) => counted.find((row) => row.kind === kind)?.number ?? 0;
      const counts = Object.fromEntries(
        reconciliationKinds.map((kind) => [kind, numberOf(kind)]),
      ) as ReconciliationCounts;
      await queries
        .update(reconciliations)
        .set({ endedAt: new Date(), counts, auditTrailHead })
        .where(and(eq(reconciliations.reconciliationId, reconciliationId), isNull(reconciliations.endedAt)));
    },

    /** Deletes a page of registrations, except those with a finding. @returns the next cursor */
    async forgetMatches({ reconciliationId, cursor, size }: ReconciliationPage): Promise<string | null> {
      const { registrationNumber, kind } = reconciledRegistrations;
      const rows = await queries
        .select({ registrationNumber, kind })
        .from(reconciledRegistrations)
        .where(and(ofReconciliation(reconciliationId), gt(registrationNumber, cursor ?? '')))
        .orderBy(asc(registrationNumber))
        .limit(size);
      const isKept = (row: (typeof rows)[number]) => findingKinds.some((finding) => finding === row.kind);
      const forgotten = rows.filter((row) => !isKept(row)).map((row) => row.registrationNumber);
      await queries
        .delete(reconciledRegistrations)
        .where(and(ofReconciliation(reconciliationId), inArray(registrationNumber, forgotten)));
      return nextCursor(rows, size);
    },

    /** The latest reconciliations, newest first. */
    async list(limit: number): Promise<ReconciliationReport[]> {
      return await queries
        .select()
        .from(reconciliations)
        .orderBy(desc(reconciliations.startedAt))
        .limit(limit);
    },

    /** The ends of the audit trail that were published with reports, the newest first. */
    async listHeads() {
      const { reconciliationId, auditTrailHead } = reconciliations;
      const rows = await queries
        .select({ reconciliationId, auditTrailHead })
        .from(reconciliations)
        .where(isNotNull(auditTrailHead))
        .orderBy(desc(reconciliations.startedAt));
      return rows.map((row) => ({ ...row, auditTrailHead: row.auditTrailHead! }));
    },

    async find(reconciliationId: string): Promise<ReconciliationReport | undefined> {
      const [report] = await queries
        .select()
        .from(reconciliations)
        .where(eq(reconciliations.reconciliationId, reconciliationId));
      return report;
    },

    /** A page of findings by registration number, after `after`. Empty until the reconciliation has ended. */
    async listFindings(
      reconciliationId: string,
      after: string,
      limit: number,
    ): Promise<ReconciliationFinding[]> {
      const { registrationNumber, kind, detail } = reconciledRegistrations;
      const rows = await queries
        .select({ registrationNumber, kind, detail })
        .from(reconciledRegistrations)
        .innerJoin(reconciliations, eq(reconciliations.reconciliationId, reconciliationId))
        .where(
          and(
            ofReconciliation(reconciliationId),
            isNotNull(reconciliations.endedAt),
            isFinding,
            gt(registrationNumber, after),
          ),
        )
        .orderBy(asc(registrationNumber))
        .limit(limit);
      return rows as ReconciliationFinding[];
    },
  };
}

/** Where the next page begins; null after the last one. */
export function nextCursor(
  rows: readonly { readonly registrationNumber: string }[],
  size: number,
): string | null {
  return rows.length < size ? null : rows.at(-1)!.registrationNumber;
}
