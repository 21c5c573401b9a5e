import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../contract/activities.ts';
import { reconciliationStages } from '../contract/reconciliation.ts';
import type { ReconciliationPage, ReconciliationStage } from '../contract/reconciliation.ts';

/**
 * An activity as a workflow calls it: its one argument, then options of this call that override the proxy's. The
 * summary is what operators read in the Web UI.
 */
function withSummary<Argument, Result, Options extends { readonly summary?: string }>(
  activity: { executeWithOptions(options: Options, args: [Argument]): Promise<Result> },
  summarize: (argument: Argument) => string,
): (argument: Argument, options?: Omit<Options, 'summary'>) => Promise<Result> {
  return (argument, options) =>
    activity.executeWithOptions({ summary: summarize(argument), ...options } as Options, [argument]);
}

/** Inquiries at the payment gateway. They change nothing there, so they are retried freely. */
const inquiries = proxyActivities<
  Pick<Activities, 'checkAccountHolder' | 'inquireArsCall' | 'inquireRegistration'>
>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

export const checkAccountHolder = withSummary(
  inquiries.checkAccountHolder,
  () => 'Ask the bank whether the account belongs to the named person',
);
export const inquireArsCall = withSummary(
  inquiries.inquireArsCall,
  ({ attempt }) => `Inquire about the outcome of ARS call ${attempt}`,
);
export const inquireRegistration = withSummary(
  inquiries.inquireRegistration,
  () => 'Inquire about the outcome of the registration',
);

/** Rings a phone. Retried only because the activity inquires first whether an earlier try has placed the call. */
const phoneCalls = proxyActivities<Pick<Activities, 'placeArsCall'>>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

export const placeArsCall = withSummary(
  phoneCalls.placeArsCall,
  ({ attempt }) => `Place ARS call ${attempt}`,
);

/** Reads a recording from the payment gateway and writes it to our database. Idempotent. */
const evidence = proxyActivities<Pick<Activities, 'storeConsentEvidence'>>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

export const storeConsentEvidence = withSummary(
  evidence.storeConsentEvidence,
  () => 'Fetch, check and store the recording',
);

/** Waits until a bank or the payment gateway is open again. The activity sets the delay before each retry. */
const closures = proxyActivities<Pick<Activities, 'awaitReopening'>>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

export const awaitReopening = withSummary(
  closures.awaitReopening,
  ({ bank }) => `Wait for the ${bank ? 'bank' : 'payment gateway'} to reopen`,
);

/** Cannot be undone and must not happen twice: one attempt, after which the workflow inquires about its outcome. */
const registrations = proxyActivities<Pick<Activities, 'registerAtPaymentGateway'>>({
  startToCloseTimeout: '30 seconds',
  retry: { maximumAttempts: 1 },
});

export const registerAtPaymentGateway = withSummary(
  registrations.registerAtPaymentGateway,
  () => 'Register the account at the payment gateway',
);

/** Idempotent, and must happen: retried indefinitely. */
const removals = proxyActivities<Pick<Activities, 'removeAccount'>>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
});

export const removeAccountAtPaymentGateway = withSummary(
  removals.removeAccount,
  ({ registrationNumber }) => `Remove registration ${registrationNumber}`,
);

/** One delivery per call. The receiver's answer is a result; only failures of our own database are retried. */
const deliveries = proxyActivities<Pick<Activities, 'deliverResultNotification'>>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

export const sendResultNotification = withSummary(
  deliveries.deliverResultNotification,
  ({ registrationNumber, delivery }) => `Deliver the result of ${registrationNumber}, delivery ${delivery}`,
);

/** Reads both ledgers and records what it finds. Idempotent, and nobody waits for it: retried indefinitely. */
const reconciliations = proxyActivities<Pick<Activities, ReconciliationStage>>({
  startToCloseTimeout: '2 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
});

/** Works on one page of a stage. @returns where the next page begins, or null after the last one */
export function reconcilePage(stage: ReconciliationStage, page: ReconciliationPage): Promise<string | null> {
  return withSummary(reconciliations[stage], () => reconciliationStages[stage])(page);
}

/** Idempotent. A caller waits for it, so it is retried for a short time only. */
const autoCharges = proxyActivities<Pick<Activities, 'registerAutoCharge'>>({
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '1 minute',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

export const registerAutoChargeAtPaymentGateway = withSummary(
  autoCharges.registerAutoCharge,
  () => 'Register the account for auto charge at the payment gateway',
);

/** Works through many rows and heartbeats with each batch. A retry continues with what is left. */
export const { purgeExpiredEvidence: purge } = proxyActivities<Pick<Activities, 'purgeExpiredEvidence'>>({
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '10 seconds', backoffCoefficient: 2, maximumInterval: '10 minutes' },
  summary: 'Purge the evidence whose retention period has ended',
});

/**
 * Short idempotent transactions of our own database. They run inside the workflow task, which saves three history
 * events and one task each. Retried indefinitely, because a run must not end before its row has the outcome.
 */
export const { activateAccount, recordFailure, deactivateAccount } = proxyLocalActivities<
  Pick<Activities, 'activateAccount' | 'recordFailure' | 'deactivateAccount'>
>({
  startToCloseTimeout: '10 seconds',
  localRetryThreshold: '5 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '1 minute' },
});
