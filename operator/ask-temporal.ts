import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { isTransient } from '../runtime/transient-errors.ts';
import { Refused } from './refused.ts';

/** The deadline of a request to Temporal, or to a worker through it, in ms. */
const maxWait = 10_000;

/** Sends a request to Temporal with a deadline in Unix ms. @throws {Refused} with `advice` without an answer */
export async function askTemporal<Answer>(
  temporal: Client,
  ask: (deadline: number) => Promise<Answer>,
  advice = 'Temporal does not answer: check TEMPORAL_ADDRESS and the Temporal server, then repeat the command.',
): Promise<Answer> {
  const deadline = Date.now() + maxWait;
  try {
    return await temporal.withDeadline(deadline, () => ask(deadline));
  } catch (error) {
    const isUnanswered = error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isTransient(error);
    throw isUnanswered ? new Refused(advice, { cause: error }) : error;
  }
}
