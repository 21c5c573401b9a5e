import { hadEvidence } from '../../database/milestones.ts';
import type { registrations } from '../../database/schema.ts';
import type { Alteration, Kind } from './alterations.ts';

/** What may be altered without notice, and why that deceives no auditor. */
interface Irrelevance {
  readonly table: string;
  /** Default: every column, and the row itself. */
  readonly columns?: readonly string[];
  /** Default: all. */
  readonly kinds?: readonly Kind[];
  /** Default: in every row. */
  readonly when?: (row: Alteration['row']) => boolean;
  readonly reason: string;
}

const hasNoEvidenceYet = (row: Alteration['row']) =>
  row['endedAt'] === null && !hadEvidence(row as typeof registrations.$inferSelect);

export const irrelevances: readonly Irrelevance[] = [
  {
    table: 'registrations',
    columns: ['triedSince', 'lookAt', 'replacements'],
    reason: 'They say when its run is tried or replaced.',
  },
  {
    table: 'registrations',
    columns: [],
    kinds: ['deleted'],
    when: (row) => hasNoEvidenceYet(row) || row['withdrawnAt'] !== null,
    reason:
      'An open one without evidence has registered nothing, and its run fails; one that was withdrawn is deleted after a day.',
  },
  {
    table: 'members',
    columns: ['keyDestroyedAt'],
    reason: 'It only says that files were rewritten after an erasure, which is sealed itself.',
  },
  {
    table: 'bankWindows',
    columns: ['bankWindowId'],
    reason: 'It names the window to operators, and nothing else names it.',
  },
  {
    table: 'bankWindows',
    columns: [],
    kinds: ['deleted'],
    reason: 'Without it requests are sent that the bank refuses; the audit trail has its removal.',
  },
  {
    table: 'resultNotifications',
    columns: ['state', 'deliveries', 'redeliveredAfter', 'nextDeliveryAt', 'lookAt', 'deliveredAt'],
    reason:
      'They order the delivery. What is delivered comes from the registration, and a lost one leaves a gap.',
  },
  {
    table: 'effects',
    reason:
      'They decide what is sent next, and are deleted after 90 days. What came of them stands in the timeline.',
  },
  { table: 'arsCodes', reason: 'A code is valid for ten minutes, and is evidence of nothing.' },
  { table: 'arsCalls', reason: 'They limit the calls of a day, and are deleted after it.' },
  { table: 'accountChecks', reason: 'They limit the checks of a day.' },
  { table: 'incarnations', reason: 'They decide what is asked about after a restore.' },
  {
    table: 'operatorDecisions',
    reason: 'The timeline has the verdict, the audit trail who gave it and why.',
  },
  { table: 'rememberedRequests', reason: 'They recognise repeated requests.' },
  { table: 'reconciliations', reason: 'A report is repeated daily, from both ledgers.' },
  { table: 'reconciledRegistrations', reason: 'A report is repeated daily, from both ledgers.' },
  {
    table: 'auditTrail',
    reason: 'Its entries form a hash chain of their own: `operator trail` verifies it.',
  },
  {
    table: 'auditTrailKeys',
    columns: ['auditTrailKeyId', 'sealedKey'],
    reason: 'Without its key the audit trail is not verified.',
  },
  {
    table: 'auditTrailKeys',
    columns: [],
    kinds: ['deleted'],
    reason: 'Without its key the audit trail is not verified.',
  },
  { table: 'payloadKeys', reason: 'They protect against a confusion of keys at start.' },
];

export const isMatched =
  ({ table, column, kind, row }: Alteration) =>
  (entry: Irrelevance): boolean => {
    if (entry.table !== table || (entry.kinds && !entry.kinds.includes(kind))) return false;
    const isMeant =
      !entry.columns || (column === undefined ? entry.columns.length === 0 : entry.columns.includes(column));
    return isMeant && (!entry.when || entry.when(row));
  };
