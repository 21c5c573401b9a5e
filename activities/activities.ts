import type { Activities } from '../contract/activities.ts';
import { accountHolderActivities } from './account-holder.ts';
import { arsCallActivities } from './ars-call.ts';
import { bankClosureActivities } from './bank-closure.ts';
import { consentEvidenceActivities } from './consent-evidence.ts';
import { paymentGatewayRegistrationActivities } from './payment-gateway-registration.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { reconciliationActivities } from './reconciliation.ts';
import { evidenceRetentionActivities } from './evidence-retention.ts';
import { registrationRecordActivities } from './registration-record.ts';
import { resultNotificationActivities } from './result-notification.ts';

/** All activities over the given dependencies. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  return {
    ...accountHolderActivities(dependencies),
    ...arsCallActivities(dependencies),
    ...bankClosureActivities(dependencies),
    ...consentEvidenceActivities(dependencies),
    ...evidenceRetentionActivities(dependencies),
    ...paymentGatewayRegistrationActivities(dependencies),
    ...reconciliationActivities(dependencies),
    ...registrationRecordActivities(dependencies),
    ...resultNotificationActivities(dependencies),
  };
}
