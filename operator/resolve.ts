import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { resolveReviewUpdate } from '../contract/registration-messages.ts';
import type { ReviewResolution } from '../contract/registration.ts';
import { searchAttributes } from '../contract/search-attributes.ts';
import { sendUpdate } from '../runtime/temporal.ts';
import { readChoice, readRegistrationNumber } from './options.ts';
import type { OptionValues } from './options.ts';
import { askTemporal } from './ask-temporal.ts';
import type { TemporalContext } from './command.ts';
import { Refused } from './refused.ts';
import { operatorCommand } from '../runtime/operator-command.ts';

/** Decides the outcome of a registration in REVIEW. */
export function resolve(values: OptionValues) {
  const registrationNumber = readRegistrationNumber(values);
  const { operator = '', reason = '' } = values;
  const verdict = readChoice(values, 'verdict', ['REGISTERED', 'NOT_REGISTERED']);

  return async ({ temporal, print }: TemporalContext): Promise<void> => {
    const run = await askTemporal(temporal, () => findRun(temporal, registrationNumber));
    if (!run) {
      throw new Refused(
        `No registration ${registrationNumber} is running: it has ended, or never existed. See: ${operatorCommand('reviews')}`,
      );
    }
    await decide(temporal, run, { verdict, operator, reason });
    print(`Registration ${registrationNumber} is resolved as ${verdict}.`);
  };
}

async function findRun(
  temporal: Client,
  registrationNumber: string,
): Promise<WorkflowExecutionInfo | undefined> {
  const query = `BankAccRegNo = "${registrationNumber}" AND ExecutionStatus = "Running"`;
  for await (const run of temporal.workflow.list({ query })) return run;
  return undefined;
}

async function decide(
  temporal: Client,
  { workflowId, runId, typedSearchAttributes: attributes }: WorkflowExecutionInfo,
  resolution: ReviewResolution,
): Promise<void> {
  const run = temporal.workflow.getHandle(workflowId, runId);
  try {
    await askTemporal(
      temporal,
      (deadline) =>
        sendUpdate(() => run.executeUpdate(resolveReviewUpdate, { args: [resolution] }), deadline),
      'No answer came, so the registration may or may not be resolved: check that a worker is running, then repeat the command.',
    );
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError || error instanceof WorkflowNotFoundError)) throw error;
    const number = attributes.get(searchAttributes.registrationNumber);
    const step = attributes.get(searchAttributes.step);
    throw new Refused(
      step === 'REVIEW'
        ? `Registration ${number} has already been resolved, or has just ended: nothing is left to do.`
        : `Registration ${number} is not in REVIEW but in ${step}: wait until it ends, or see: ${operatorCommand('reviews')}`,
      { cause: error },
    );
  }
}
