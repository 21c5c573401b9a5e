import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { UsageError } from '../command-line/command-line.ts';
import { memberWorkflowId, notificationWorkflowId, removalWorkflowId } from '../contract/registration.ts';
import { searchAttributes } from '../contract/search-attributes.ts';
import type { RegistrationRecord } from '../database/registrations.ts';
import { isWithin } from '../database/closed-until.ts';
import { operatorCommand } from '../runtime/operator-command.ts';
import { bankNameOf } from '../wire/bank-codes.ts';
import { keptCorrelationId } from '../wire/headers.ts';
import { askTemporal } from './ask-temporal.ts';
import type { CommandContext } from './command.ts';
import { readRegistrationNumber } from './options.ts';
import type { OptionValues } from './options.ts';
import { endOf, outlookOf } from './outlook.ts';
import { Refused } from './refused.ts';
import { alignColumns, describeTime } from './table.ts';

/** How many of a member's registrations are named. */
const maxListed = 10;

/** How long a run may take to close once its registration has ended, in ms. */
const closingTime = 60_000;

type Line = readonly [name: string, text: string];
type Remedy = readonly [command: string, effect: string];

/** What Temporal says of a run. */
interface FoundRun {
  readonly line: string;
  /** Whether it is at work; undefined if Temporal does not say. */
  readonly isRunning: boolean | undefined;
}

/** Shows on one screen where a registration stands, what it waits for and what an operator can do. */
export function show(values: OptionValues) {
  const { number, user, correlation } = values;
  if ([number, user, correlation].filter((value) => value !== undefined).length !== 1)
    throw new UsageError('show takes either --number, --user or --correlation.');
  const registrationNumber = number === undefined ? undefined : readRegistrationNumber(values);
  if (correlation !== undefined && keptCorrelationId(correlation) === undefined)
    throw new UsageError(
      '--correlation must be yyMMddHHmmss, a hyphen and seven hexadecimal characters: an ID of another form is not kept.',
    );
  return async (context: CommandContext): Promise<void> => {
    const [latest, ...others] = await find(context, registrationNumber, user, correlation);
    if (!latest) throw notFound(values);
    await showOne(context, latest);
    if (others.length === 0) return;
    context.print('Others, the latest first:');
    const rows = others.map((other) => [
      other.registrationNumber,
      other.step,
      other.endedAt ? endOf(other) : other.status,
    ]);
    for (const line of alignColumns(rows)) context.print(`  ${line}`);
  };
}

async function find(
  { stores }: CommandContext,
  number: string | undefined,
  userId: string | undefined,
  correlationId: string | undefined,
): Promise<readonly RegistrationRecord[]> {
  if (number !== undefined)
    return [await stores.registrations.findAny(number)].flatMap((found) => found ?? []);
  if (correlationId !== undefined) return await stores.registrations.listOfRequest(correlationId, maxListed);
  const member = (await stores.members.findKnown([userId!])).get(userId!);
  if (!member) throw new Refused(`There is no member ${userId}.`);
  return await stores.registrations.list(member.aspId, { userId, limit: maxListed });
}

function notFound({ number, user, correlation }: OptionValues): Refused {
  if (number !== undefined) return new Refused(`There is no registration ${number}.`);
  if (user !== undefined) return new Refused(`Member ${user} has no registration.`);
  return new Refused(
    `No registration was begun by request ${correlation}. It may have been refused, or was another operation: the API’s log has it in correlationId.`,
  );
}

async function showOne(context: CommandContext, record: RegistrationRecord): Promise<void> {
  const { print, stores } = context;
  const { registrationNumber, userId, aspId, bankCode, correlationId, createdAt, timeline } = record;
  const effects = await stores.ledger.listEffects(registrationNumber);
  const run = await describeRun(context, memberWorkflowId(userId), registrationNumber);
  const said = timeline.findLast(({ step }) => step !== 'ACCEPTED' && step !== 'ENDED');
  const lines: Line[] = [
    [
      'registration',
      `${registrationNumber} of member ${userId}, ${aspId}, at ${bankCode} ${bankNameOf(bankCode)}`,
    ],
    ['request', `${correlationId ?? 'unknown'}, accepted ${describeTime(createdAt)}`],
  ];
  const remedies: Remedy[] = [];

  if (record.endedAt) {
    lines.push(['ended', endOf(record)]);
    if (run.isRunning && Date.now() - record.endedAt.getTime() > closingTime)
      remedies.push([`resume --number ${registrationNumber}`, 'ends its run, which keeps the member busy']);
  } else {
    const policy = await stores.policies.get(record.policyId);
    const now = await stores.ledger.now();
    const windows = await stores.bankWindows.list(bankCode);
    const bankWindow = windows.find((window) => isWithin(window, now.getTime()))?.bankWindowId;
    const outlook = outlookOf(record, effects, policy, bankWindow, now.getTime());
    lines.push(
      ['stands', `${record.status}, in ${record.step}`],
      ['waits for', outlook.waitsFor],
      [
        'until',
        outlook.until === undefined
          ? 'it succeeds; it is tried again and again'
          : describeTime(new Date(outlook.until)),
      ],
      ['then', outlook.next],
    );
    if (outlook.remedy) remedies.push(outlook.remedy);
    if (run.isRunning === false || record.lookAt < now)
      remedies.push([
        `resume --number ${registrationNumber}`,
        'gives it a new run, which continues from here',
      ]);
  }
  lines.push([
    'last said',
    said ? `${said.step} ${said.outcome}, ${describeTime(new Date(said.at))}` : 'nothing yet',
  ]);
  lines.push(['run', run.line]);
  await addFollowUps();
  for (const [command, effect] of remedies)
    lines.push(['you can', `${operatorCommand(command)}  (${effect})`]);
  if (remedies.length === 0) lines.push(['you can', 'wait: nothing needs to be done']);
  for (const line of alignColumns(lines)) print(line);
  print('timeline');
  const entries = timeline.map(({ at, step, attempt, outcome, until }) => [
    describeTime(new Date(at)),
    `${step} (${attempt})`,
    outcome,
    until === undefined ? '' : `until ${describeTime(new Date(until))}`,
  ]);
  for (const line of alignColumns(entries)) print(`  ${line}`);

  async function addFollowUps(): Promise<void> {
    const notification = await stores.resultNotifications.find(registrationNumber);
    if (notification) {
      const { state, deliveries, dueIn } = notification;
      const isHeld = (await stores.projects.find(aspId))?.state !== 'ACTIVE';
      const due = describeTime(new Date(Date.now() + dueIn));
      const pending = isHeld ? 'held back, because its project is not active' : `next delivery ${due}`;
      const follow =
        state === 'PENDING'
          ? `, ${pending}; ${await followUp(notificationWorkflowId(registrationNumber))}`
          : '';
      lines.push(['notification', `${state} after ${deliveries} deliveries${follow}`]);
      if (state === 'PENDING' && isHeld)
        remedies.push([`project state --asp ${aspId} --state ACTIVE`, 'releases it']);
      else if (state !== 'DELIVERED')
        remedies.push([`redeliver --number ${registrationNumber}`, 'delivers the result at once']);
    }
    const account = (await stores.accounts.listOf(userId)).find(
      (one) => one.registrationNumber === registrationNumber,
    );
    if (account) lines.push(['account', account.state]);
    const removal = effects.find(({ kind }) => kind === 'REMOVAL');
    if (!removal) return;
    const isRemoved = removal.state === 'DONE';
    const text = isRemoved
      ? `done ${describeTime(new Date(removal.decidedAt!))}`
      : `waits for the payment gateway, retried until it succeeds; ${await followUp(removalWorkflowId(registrationNumber))}`;
    lines.push(['removal', text]);
  }

  async function followUp(workflowId: string): Promise<string> {
    return (await describeRun(context, workflowId, registrationNumber)).line;
  }
}

/** What Temporal says of the run that is to move a registration, a notification or a removal. */
async function describeRun(
  { temporal, webUi }: CommandContext,
  workflowId: string,
  registrationNumber: string,
): Promise<FoundRun> {
  const link = webUi ? `, ${webUi}/namespaces/${temporal.options.namespace}/workflows/${workflowId}` : '';
  try {
    const { status, typedSearchAttributes, raw } = await askTemporal(temporal, () =>
      temporal.workflow.getHandle(workflowId).describe(),
    );
    const isOther = typedSearchAttributes.get(searchAttributes.registrationNumber) !== registrationNumber;
    const isRunning = status.name === 'RUNNING' && !isOther;
    if (isOther) return { isRunning, line: `none; ${status.name} under its ID is another operation${link}` };
    const failing = raw.pendingActivities?.map(describePending) ?? [];
    const task = raw.pendingWorkflowTask?.attempt ?? 0;
    if (task > 1) failing.push(`its workflow task fails, attempt ${task}`);
    return { isRunning, line: [`${status.name}${link}`, ...failing].join('; ') };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      return { isRunning: false, line: `Temporal knows none${link}` };
    // Everything else on the screen is from the database.
    if (error instanceof Refused) return { isRunning: undefined, line: `Temporal does not answer${link}` };
    throw error;
  }
}

type Description = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>;
type PendingActivity = NonNullable<Description['raw']['pendingActivities']>[number];

/** The type of a failure, but not its text, which is encrypted. */
function describePending({ activityType, attempt, lastFailure }: PendingActivity): string {
  const failure = lastFailure?.applicationFailureInfo?.type;
  return `${activityType?.name ?? 'an activity'} attempt ${attempt ?? 1}${failure ? `, ${failure}` : ''}`;
}
