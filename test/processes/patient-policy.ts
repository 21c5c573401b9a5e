import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';

const giveUpAfter = 10 * 60_000;

/** The sandbox's waits, but it gives nothing up, however long a loaded machine takes to start the worker again. */
export const patientPolicy: RegistrationPolicy = {
  ...sandboxPolicy,
  accountHolderCheck: { giveUpAfter },
  arsCall: { ...sandboxPolicy.arsCall, requestGiveUpAfter: giveUpAfter },
  consentEvidence: { giveUpAfter },
  paymentGatewayRegistration: { ...sandboxPolicy.paymentGatewayRegistration, reviewAfter: giveUpAfter },
};
