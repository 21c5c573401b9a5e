import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  ArsCallOutcome,
  PaymentGatewayResult,
  RegistrationState,
  ReviewResolution,
} from './registration.ts';

/** Answers where the registration stands. */
export const registrationStateQuery = defineQuery<RegistrationState>('registrationState');

/** Tells the run how an ARS call ended. */
export const arsCallEndedSignal = defineSignal<[ArsCallOutcome]>('arsCallEnded');

/** Tells the run what the payment gateway decided. */
export const paymentGatewayDecidedSignal = defineSignal<[PaymentGatewayResult]>('paymentGatewayDecided');

/** Resolves a registration in REVIEW; refused in every other step. */
export const resolveReviewUpdate = defineUpdate<void, [ReviewResolution]>('resolveReview');
