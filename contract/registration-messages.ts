import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { RegistrationState } from './registration.ts';
import type { TimelineEntry } from '../wire/timeline.ts';

/** Tells the run to look at its row. It has no content, so nothing that is sent to a run decides anything. */
export const wakeSignal = defineSignal('wake');

/** Returns the state of the registration as the run last read it; null when its number was withdrawn. */
export const registrationStateQuery = defineQuery<Omit<RegistrationState, 'timeline'> | null>(
  'registrationState',
);

/** Returns what had happened to the registration when the run last read its row. */
export const registrationTimelineQuery = defineQuery<readonly TimelineEntry[]>('registrationTimeline');
