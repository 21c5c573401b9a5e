import { memberWorkflowId } from '../../contract/registration.ts';
import { registrationTimelineQuery } from '../../contract/registration-messages.ts';
import type { RegistrationRecord } from '../../database/registrations.ts';
import type { TimelineEntry } from '../../wire/timeline.ts';
import type { ApiParts } from '../parts.ts';
import { describeMemberRun } from './member-runs.ts';

/** How long Temporal may take to describe the run, and the run to respond, in ms each. */
const timeout = 8_000;

/**
 * Reads the timeline of a registration, oldest step first: from its row once it has ended, otherwise from its run.
 * Throws when Temporal or the worker does not respond in time.
 */
export async function readTimeline(
  { stores, temporal }: Pick<ApiParts, 'stores' | 'temporal'>,
  { aspId, userId, registrationNumber, timeline }: RegistrationRecord,
): Promise<readonly TimelineEntry[]> {
  if (timeline) return timeline;
  const run = await describeMemberRun(temporal, userId, timeout);
  if (run.registrationNumber === registrationNumber) {
    const handle = temporal.workflow.getHandle(memberWorkflowId(userId), run.runId);
    return await temporal.withDeadline(Date.now() + timeout, () => handle.query(registrationTimelineQuery));
  }
  return (await stores.registrations.find(aspId, registrationNumber))?.timeline ?? [];
}
