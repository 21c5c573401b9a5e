import type { Activities } from '../contract/activities.ts';
import { accountHolderActivities } from './account-holder.ts';
import { arsCallActivities } from './ars-call.ts';
import { bankClosureActivities } from './bank-closure.ts';
import { consentEvidenceActivities } from './consent-evidence.ts';
import { paymentGatewayRegistrationActivities } from './payment-gateway-registration.ts';
import type { Ports } from './ports.ts';
import { reconciliationActivities } from './reconciliation.ts';
import { evidenceRetentionActivities } from './evidence-retention.ts';
import { recordActivities } from './records.ts';
import { resultNotificationActivities } from './result-notification.ts';

/** All activities over the given ports. */
export function createActivities(ports: Ports): Activities {
  return {
    ...accountHolderActivities(ports),
    ...arsCallActivities(ports),
    ...bankClosureActivities(ports),
    ...consentEvidenceActivities(ports),
    ...evidenceRetentionActivities(ports),
    ...paymentGatewayRegistrationActivities(ports),
    ...reconciliationActivities(ports),
    ...recordActivities(ports),
    ...resultNotificationActivities(ports),
  };
}
