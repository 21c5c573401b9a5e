import { WorkflowNotFoundError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { UsageError } from '../command-line/command-line.ts';
import { memberWorkflowId } from '../contract/registration.ts';
import { searchAttributes } from '../contract/search-attributes.ts';
import { startRegistrationRun } from '../runs/registration-run.ts';
import { sweep } from '../runs/sweep.ts';
import { askTemporal } from './ask-temporal.ts';
import type { CommandContext } from './command.ts';
import { readRegistrationNumber } from './options.ts';
import type { OptionValues } from './options.ts';
import { Refused } from './refused.ts';

/**
 * Gives a registration a new run, in place of one that is stuck; with --user, ends whatever runs under a member's ID; or
 * with --all, gives a run to every open registration that has none. A new run continues from the row: nothing is sent
 * twice and no deadline is postponed.
 */
export function resume(values: OptionValues) {
  const { number, user, all } = values;
  if ([number, user, all].filter((value) => value !== undefined).length !== 1)
    throw new UsageError('resume takes either --number, --user or --all.');
  if (all) return resumeAll;
  if (user !== undefined) return (context: CommandContext) => resumeMember(context, user);
  const registrationNumber = readRegistrationNumber(values);
  return (context: CommandContext) => resumeOne(context, registrationNumber);
}

async function resumeAll(context: CommandContext): Promise<void> {
  const { act, temporal, print, reportProgress } = context;
  const count = await act({}, (acting) => acting.registrations.makeOverdue());
  reportProgress(`${count} open registrations: starting a run for each that has none.`);
  const { registrations, notifications, removals } = await askTemporal(temporal, () => sweep(context));
  const { started, running, withdrawn, failed } = registrations;
  print(
    `Registrations: ${started} runs started, ${running} were running, ${failed.length} could not be started.`,
  );
  if (withdrawn > 0) print(`${withdrawn} registrations that never began are withdrawn.`);
  const elsewhere = count - started - running - failed.length;
  if (elsewhere > 0)
    print(`${elsewhere} have ended or were heard of meanwhile, or an API process looks after them.`);
  for (const [name, followUps] of Object.entries({ Notifications: notifications, Removals: removals }))
    print(
      `${name}: ${followUps.started} overdue ones have a run, ${followUps.failed.length} could not be started.`,
    );
  const numbers = [registrations, notifications, removals].flatMap((kind) => kind.failed);
  if (numbers.length > 0)
    throw new Refused(
      `No run could be started for ${numbers.join(', ')}. The log says why; repeat the command.`,
    );
}

async function resumeOne(context: CommandContext, registrationNumber: string): Promise<void> {
  const { act, stores, temporal, print } = context;
  const registration = await stores.registrations.findAny(registrationNumber);
  if (!registration) throw new Refused(`There is no registration ${registrationNumber}.`);
  const enter = () => act({ registrationNumber }, async () => {});
  const run = temporal.workflow.getHandle(memberWorkflowId(registration.userId));
  if (registration.endedAt) {
    // A run that is stuck after the end keeps the member from another registration.
    if (!(await askTemporal(temporal, () => isRunOf(run, registrationNumber))))
      throw new Refused(`Registration ${registrationNumber} has ended, so it needs no run.`);
    await enter();
    await askTemporal(temporal, () => terminate(run));
    return print(`Registration ${registrationNumber} has ended; its run was still open and is terminated.`);
  }
  await enter();
  await askTemporal(temporal, async () => {
    await terminate(run);
    await startRegistrationRun(temporal, registration);
  });
  print(`Registration ${registrationNumber} has a new run, which continues in ${registration.step}.`);
}

/** The run may be of another operation, or of nobody's. An auto charge that is ended is asked for again by its client. */
async function resumeMember(context: CommandContext, userId: string): Promise<void> {
  const { act, stores, temporal, print } = context;
  if (!(await stores.members.findKnown([userId])).has(userId))
    throw new Refused(`There is no member ${userId}.`);
  await act({ userId }, async () => {});
  const run = temporal.workflow.getHandle(memberWorkflowId(userId));
  const registration = await stores.registrations.findOpen(userId);
  await askTemporal(temporal, async () => {
    await terminate(run);
    if (registration) await startRegistrationRun(temporal, registration);
  });
  print(
    registration
      ? `Nothing else runs for member ${userId}: registration ${registration.registrationNumber} has a new run, which continues in ${registration.step}.`
      : `Nothing runs for member ${userId} any more, who has no open registration.`,
  );
}

/** Whether the member's run is open, and is that of this registration. */
async function isRunOf(run: WorkflowHandle, registrationNumber: string): Promise<boolean> {
  try {
    const { status, typedSearchAttributes } = await run.describe();
    const number = typedSearchAttributes.get(searchAttributes.registrationNumber);
    return status.name === 'RUNNING' && number === registrationNumber;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function terminate(run: WorkflowHandle): Promise<void> {
  try {
    await run.terminate('operator resume');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
