import type {
  RegistrationOutcome,
  RegistrationReference,
  RegistrationStep,
} from '../contract/registration.ts';
import {
  checkAccountHolder,
  inquireArsCall,
  inquireRegistration,
  placeArsCall,
  readRegistration,
  registerAtPaymentGateway,
  storeConsentEvidence,
} from './activity-proxies.ts';
import type { StepActivity } from './activity-proxies.ts';
import { followRegistration } from './registration-run.ts';

/** How a step goes on, and how its outcome is asked for when no callback comes. */
interface StepPlan {
  readonly act: StepActivity;
  readonly ask?: StepActivity;
  /** What usually comes after a wake-up. If it is too early for that, it changes nothing. */
  readonly whenWoken?: StepActivity;
}

/** The story of a registration. Its row says which step it is in; each step's activity moves it on. */
const story: Record<Exclude<RegistrationStep, 'DONE'>, StepPlan> = {
  ACCOUNT_HOLDER_CHECK: { act: checkAccountHolder },
  ARS_CALL: { act: placeArsCall, ask: inquireArsCall, whenWoken: storeConsentEvidence },
  CONSENT_EVIDENCE: { act: storeConsentEvidence },
  PAYMENT_GATEWAY_REGISTRATION: {
    act: registerAtPaymentGateway,
    ask: inquireRegistration,
    whenWoken: readRegistration,
  },
  REVIEW: { act: readRegistration, ask: inquireRegistration },
};

/**
 * Registers a member's withdrawal account: real-name check, ARS call, evidence of consent, registration at the payment
 * gateway, switch to the new account. The workflow ID is the member ID, so a member has one operation at a time.
 *
 * The run decides when the next thing happens; whether it happens, and what has happened, is in the database. So a run
 * can be reset or replaced: a new one continues from the row. A refused or failed registration is a result, not a
 * workflow failure.
 */
export async function registerWithdrawalAccount({
  registrationNumber,
}: RegistrationReference): Promise<RegistrationOutcome> {
  const run = followRegistration(registrationNumber);
  let next: StepActivity | undefined;
  await run.untilEnded(async (step) => {
    const { act, ask, whenWoken } = story[step];
    const wait = await run.perform(next ?? act);
    next = undefined;
    if (!wait) return;
    const isWoken = await run.wait(wait);
    if (isWoken) next = whenWoken;
    else if (wait.for === 'CALLBACK') next = ask;
  });
  return run.outcome();
}
