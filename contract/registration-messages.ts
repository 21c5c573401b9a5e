import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  ArsCallOutcome,
  PaymentGatewayResult,
  RegistrationState,
  ReviewResolution,
} from './registration.ts';
import type { TimelineEntry } from '../wire/timeline.ts';

/** Returns the state of the registration. */
export const registrationStateQuery = defineQuery<RegistrationState>('registrationState');

/** Reports to the run how an ARS call ended. */
export const arsCallEndedSignal = defineSignal<[ArsCallOutcome]>('arsCallEnded');

/** Reports the payment gateway's decision to the run. */
export const paymentGatewayDecidedSignal = defineSignal<[PaymentGatewayResult]>('paymentGatewayDecided');

/** Returns what has happened to the registration so far. */
export const registrationTimelineQuery = defineQuery<readonly TimelineEntry[]>('registrationTimeline');

/** Cancels the registration, which then ends; refused once the payment gateway has been asked to register. */
export const cancelRegistrationUpdate = defineUpdate<void>('cancelRegistration');

/** Resolves a registration in REVIEW; refused in every other step. */
export const resolveReviewUpdate = defineUpdate<void, [ReviewResolution]>('resolveReview');
