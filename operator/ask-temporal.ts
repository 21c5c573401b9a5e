import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { isTransient } from '../runtime/transient-errors.ts';
import { Refused } from './refused.ts';

/** How long Temporal, or a worker through it, may take to answer, in ms. */
const longestWait = 10_000;

/** Asks Temporal something, until a deadline in Unix ms. @throws {Refused} with `advice` when no answer comes */
export async function askTemporal<Answer>(
  temporal: Client,
  ask: (deadline: number) => Promise<Answer>,
  advice = 'Temporal does not answer: check TEMPORAL_ADDRESS and the Temporal server, then repeat the command.',
): Promise<Answer> {
  const deadline = Date.now() + longestWait;
  try {
    return await temporal.withDeadline(deadline, () => ask(deadline));
  } catch (error) {
    const isUnanswered = error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isTransient(error);
    throw isUnanswered ? new Refused(advice, { cause: error }) : error;
  }
}
