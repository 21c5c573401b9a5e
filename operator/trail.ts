import { UsageError } from '../command-line/command-line.ts';
import { createDatabaseWitness } from '../composition/database-witness.ts';
import { formatHead, parseHead } from '../database/audit-trail.ts';
import type { AuditTrailHead, ListedEntry } from '../database/audit-trail.ts';
import { operatorCommand } from '../runtime/operator-command.ts';
import type { CommandContext } from './command.ts';
import { readAspId, readRegistrationNumber } from './options.ts';
import type { OptionValues } from './options.ts';
import { Refused } from './refused.ts';
import { alignColumns, describeTime } from './table.ts';

/** A head that was published, and where. */
interface PublishedHead {
  readonly head: AuditTrailHead;
  readonly where: string;
}

/** Shows the audit trail, or verifies it. */
export function trail(values: OptionValues) {
  const head = readHead(values);
  const filter = {
    ...(values.number !== undefined && { registrationNumber: readRegistrationNumber(values) }),
    ...(values.asp !== undefined && { aspId: readAspId(values) }),
    ...(values.user !== undefined && { userId: values.user }),
    ...(values.operator !== undefined && { actor: values.operator }),
  };
  if ((values.verify === true || head !== undefined) && Object.keys(filter).length > 0)
    throw new UsageError('The trail is verified as a whole: give --verify without a filter.');
  return async (context: CommandContext): Promise<void> => {
    if (values.verify || head) await verify(context, head);
    else await show(context, filter);
  };
}

function readHead({ head: text }: OptionValues): AuditTrailHead | undefined {
  if (text === undefined) return undefined;
  const head = parseHead(text);
  if (head) return head;
  throw new UsageError('--head must be a head as it was published: <number>/<time>/<hash>.');
}

async function show(
  { stores, print }: CommandContext,
  filter: Parameters<CommandContext['stores']['auditTrail']['list']>[0],
): Promise<void> {
  let after: number | undefined;
  let forged = 0;
  for (;;) {
    const entries = await stores.auditTrail.list(filter, after);
    if (entries.length === 0) break;
    const header =
      after === undefined ? [['entry', 'time', 'who', 'what', 'on', 'details', 'why', 'from']] : [];
    for (const line of alignColumns([...header, ...entries.map(describe)])) print(line);
    after = entries.at(-1)!.sequence;
    forged += entries.filter(({ isAuthentic }) => !isAuthentic).length;
  }
  if (after === undefined) print('The audit trail has no such entry.');
  if (forged > 0)
    throw new Refused(
      `${forged} of these entries are marked ${forgedMark}: they were altered or added, or the entry before them is missing. See: ${operatorCommand('trail --verify')}`,
    );
}

/** Marks an entry whose hash is wrong. */
const forgedMark = 'NOT AUTHENTIC';

function describe(entry: ListedEntry): string[] {
  const { sequence, at, actor, action, aspId, userId, registrationNumber, approves } = entry;
  return [
    entry.isAuthentic ? String(sequence) : `${sequence} ${forgedMark}`,
    describeTime(at),
    actor,
    approves === null ? action : `${action} (request ${approves})`,
    [aspId, userId, registrationNumber].filter((part) => part !== null).join(' '),
    entry.details,
    entry.reason ?? '',
    entry.origin,
  ];
}

async function verify(context: CommandContext, given: AuditTrailHead | undefined): Promise<void> {
  const { stores, print } = context;
  const finding = await stores.auditTrail.verify();
  if (finding.state === 'BROKEN')
    throw new Refused(
      `Entry ${finding.sequence} of the audit trail is broken: ${finding.problem}. ${whatToDo}`,
    );
  const published = await readPublished(context, given);
  for (const { head, where } of published) {
    if (await stores.auditTrail.continues(head)) continue;
    throw new Refused(
      `Entry ${head.sequence} of the audit trail, which ${where} has, is missing: the end was cut off or replaced. ${whatToDo}`,
    );
  }
  const { head } = finding;
  if (published.length === 0)
    throw new Refused(
      `${head ? `The ${head.sequence} entries of the audit trail are intact` : 'The audit trail has no entries'}, but nothing was compared: no head was published that can be read, so the end may have been cut off. Give one from the log of a process: ${operatorCommand('trail --verify --head <number>/<time>/<hash>')}`,
    );
  print(
    head
      ? `audit trail: ${head.sequence} entries, intact; compared with ${published.length} published heads`
      : 'audit trail: no entries',
  );
  if (head) print(`head: ${formatHead(head)}`);
}

const whatToDo =
  'Somebody has changed the database. Do not change it further; compare the trail with a backup from before and with the heads in the logs.';

/** The heads that were published where the database alone does not reach, or at another time. */
async function readPublished(
  { stores, temporal, reportProgress }: CommandContext,
  given: AuditTrailHead | undefined,
): Promise<PublishedHead[]> {
  const published: PublishedHead[] = given ? [{ head: given, where: '--head' }] : [];
  for (const { reconciliationId, auditTrailHead } of await stores.reconciliations.listHeads()) {
    const head = parseHead(auditTrailHead);
    if (!head)
      throw new Refused(`Reconciliation ${reconciliationId} has no head that can be read. ${whatToDo}`);
    published.push({ head, where: `reconciliation ${reconciliationId}` });
  }
  try {
    const head = (await createDatabaseWitness(temporal).read())?.auditTrailHead;
    if (head) published.push({ head, where: 'Temporal' });
  } catch {
    reportProgress('Temporal does not answer, so its head is not compared.');
  }
  return published;
}
