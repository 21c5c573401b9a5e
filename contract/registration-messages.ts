import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  ArsCallOutcome,
  PaymentGatewayResult,
  RegistrationState,
  ReviewResolution,
} from './registration.ts';
import type { TimelineEntry } from '../wire/timeline.ts';

/** Answers where the registration stands. */
export const registrationStateQuery = defineQuery<RegistrationState>('registrationState');

/** Tells the run how an ARS call ended. */
export const arsCallEndedSignal = defineSignal<[ArsCallOutcome]>('arsCallEnded');

/** Tells the run what the payment gateway decided. */
export const paymentGatewayDecidedSignal = defineSignal<[PaymentGatewayResult]>('paymentGatewayDecided');

/** Answers what has happened to the registration so far. */
export const registrationTimelineQuery = defineQuery<readonly TimelineEntry[]>('registrationTimeline');

/** Cancels the registration, which ends soon after; refused from the payment gateway's point of no return on. */
export const cancelRegistrationUpdate = defineUpdate<void>('cancelRegistration');

/** Resolves a registration in REVIEW; refused in every other step. */
export const resolveReviewUpdate = defineUpdate<void, [ReviewResolution]>('resolveReview');
