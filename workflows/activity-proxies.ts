import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities, StepResult } from '../contract/activities.ts';
import type { RegistrationReference } from '../contract/registration.ts';
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

type StepName =
  | 'readRegistration'
  | 'checkAccountHolder'
  | 'placeArsCall'
  | 'inquireArsCall'
  | 'storeConsentEvidence'
  | 'registerAtPaymentGateway'
  | 'inquireRegistration'
  | 'cancelRegistration';

/** A step of a registration, in the two ways in which it can be performed. */
export interface StepActivity {
  /** Once, inside the workflow task and within two seconds, which costs one history event. Absent: never so. */
  readonly locally?: (reference: RegistrationReference) => Promise<StepResult>;
  /** As a pending activity that operators see, retried until it succeeds. */
  readonly visibly: (reference: RegistrationReference) => Promise<StepResult>;
}

const localSteps = proxyLocalActivities<Pick<Activities, StepName>>({
  startToCloseTimeout: '2 seconds',
  retry: { maximumAttempts: 1 },
});
const visibleSteps = proxyActivities<Pick<Activities, StepName>>({
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

function step(name: StepName, summary: string) {
  return {
    locally: withSummary(localSteps[name], () => summary),
    visibly: withSummary(visibleSteps[name], () => summary),
  } satisfies StepActivity;
}

export const readRegistration = step('readRegistration', 'Look where the registration stands');
export const checkAccountHolder = step(
  'checkAccountHolder',
  'Ask the bank whether the account belongs to the named person',
);
export const placeArsCall = step('placeArsCall', 'Call the member, unless a call is open');
export const inquireArsCall = step('inquireArsCall', 'Inquire about the outcome of the ARS call');
export const storeConsentEvidence = step('storeConsentEvidence', 'Fetch, check and store the recording');
export const inquireRegistration = step(
  'inquireRegistration',
  'Inquire about the outcome of the registration',
);
export const cancelRegistration = step(
  'cancelRegistration',
  'Cancel the registration, unless it is too late',
);

/** Never local: operators look for the step that cannot be taken back, and a worker that stops lets it finish. */
export const registerAtPaymentGateway: StepActivity = {
  visibly: step('registerAtPaymentGateway', 'Register the account at the payment gateway').visibly,
};

/** Waits until a bank or the payment gateway is open again. The activity sets the delay before each retry. */
const closures = proxyActivities<Pick<Activities, 'awaitReopening'>>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

export const awaitReopening = withSummary(
  closures.awaitReopening,
  () => 'Wait for the bank or the payment gateway to reopen',
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
  ({ registrationNumber }) => `Deliver the result of ${registrationNumber}`,
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
