import type { z } from 'zod';
import { productionPolicy } from '../contract/registration-policy.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type { policyConfigSchema } from '../runtime/config.ts';

/** The policy of a deployment: that of production or another, with the calling hours and daily limits of its environment. */
export function deploymentPolicy(
  config: z.output<typeof policyConfigSchema>,
  policy: RegistrationPolicy = productionPolicy,
): RegistrationPolicy {
  return {
    ...policy,
    arsCall: {
      ...policy.arsCall,
      callingHours: config.CALLING_HOURS,
      dailyLimits: {
        member: config.ARS_CALLS_PER_MEMBER,
        phone: config.ARS_CALLS_PER_PHONE,
        account: config.ARS_CALLS_PER_ACCOUNT,
        provider: config.ARS_CALLS_PER_PROVIDER,
        otherPhone: config.ARS_CALLS_PER_OTHER_PHONE,
      },
    },
    accountHolderCheck: {
      ...policy.accountHolderCheck,
      maxPerDay: config.ACCOUNT_CHECKS_PER_MEMBER,
    },
  };
}
