import type { Activities } from '../contract/activities.ts';
import { accountHolderActivities } from './account-holder.ts';
import { arsCallActivities } from './ars-call.ts';
import { consentEvidenceActivities } from './consent-evidence.ts';
import { paymentGatewayRegistrationActivities } from './payment-gateway-registration.ts';
import type { Ports } from './ports.ts';
import { evidenceRetentionActivities } from './evidence-retention.ts';
import { recordActivities } from './records.ts';
import { resultCallbackActivities } from './result-callback.ts';

/** All activities over the given ports. */
export function createActivities(ports: Ports): Activities {
  return {
    ...accountHolderActivities(ports),
    ...arsCallActivities(ports),
    ...consentEvidenceActivities(ports),
    ...evidenceRetentionActivities(ports),
    ...paymentGatewayRegistrationActivities(ports),
    ...recordActivities(ports),
    ...resultCallbackActivities(ports),
  };
}
