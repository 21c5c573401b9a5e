import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../contract/activities.ts';
import type { ReconciliationStage } from '../contract/reconciliation.ts';

/**
 * Questions to the payment gateway: they change nothing there, so they are repeated freely. Each call bounds the
 * whole by its own `scheduleToCloseTimeout`.
 */
export const questions = proxyActivities<
  Pick<Activities, 'checkAccountHolder' | 'inquireArsCall' | 'inquireRegistration' | 'storeConsentEvidence'>
>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** Rings a phone: repeated only because the activity itself asks before a repeat whether the phone already rings. */
export const phoneCalls = proxyActivities<Pick<Activities, 'placeArsCall'>>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** The wait for a reopening: a try that finds it closed says itself when the next one comes. */
export const closures = proxyActivities<Pick<Activities, 'awaitReopening'>>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** Cannot be undone and may not happen twice: one try, after which the workflow asks what became of it. */
export const registrations = proxyActivities<Pick<Activities, 'registerAtPaymentGateway'>>({
  startToCloseTimeout: '30 seconds',
  retry: { maximumAttempts: 1 },
});

/** Removal is the same done once or often, and must happen: repeated without end. */
export const removals = proxyActivities<Pick<Activities, 'removeAccount'>>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
});

/** One delivery each: what the receiver answers is a result, so only our own database's trouble is repeated. */
export const deliveries = proxyActivities<Pick<Activities, 'deliverResultNotification'>>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** Reads both ledgers and keeps notes, the same once or often: repeated without end, as nobody waits for it. */
export const reconciliations = proxyActivities<Pick<Activities, ReconciliationStage>>({
  startToCloseTimeout: '2 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
});

/** The same done once or often, while a caller waits for it: repeated for a short time only. */
export const autoCharges = proxyActivities<Pick<Activities, 'registerAutoCharge'>>({
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '1 minute',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/** Goes through many rows, telling with each batch that it goes on; what is left, the next attempt takes up. */
export const purges = proxyActivities<Pick<Activities, 'purgeExpiredEvidence'>>({
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '10 seconds', backoffCoefficient: 2, maximumInterval: '10 minutes' },
});

/**
 * Short transactions of our own database, safe to repeat: run inside the workflow task, which spares three history
 * events and one task each. Repeated without end, since a run may not end without its row saying how.
 */
export const records = proxyLocalActivities<
  Pick<Activities, 'activateAccount' | 'recordFailure' | 'deactivateAccount'>
>({
  startToCloseTimeout: '10 seconds',
  localRetryThreshold: '5 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '1 minute' },
});
