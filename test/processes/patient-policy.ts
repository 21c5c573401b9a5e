import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';

const giveUpAfter = 10 * 60_000;

/** The sandbox's waits without giving up, because a loaded machine may take long to restart the worker. */
export const patientPolicy: RegistrationPolicy = {
  ...sandboxPolicy,
  accountHolderCheck: { ...sandboxPolicy.accountHolderCheck, giveUpAfter },
  arsCall: { ...sandboxPolicy.arsCall, requestGiveUpAfter: giveUpAfter },
  consentEvidence: { giveUpAfter },
  paymentGatewayRegistration: { ...sandboxPolicy.paymentGatewayRegistration, reviewAfter: giveUpAfter },
};
