import type { Activities } from '../contract/activities.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createSteps } from './registration-step.ts';

/** What needs nothing but the database. */
export function registrationRecordActivities(
  dependencies: ActivityDependencies,
): Pick<Activities, 'readRegistration' | 'cancelRegistration'> {
  const { ledger } = dependencies.stores;
  const step = createSteps(dependencies);

  return {
    readRegistration: step(['REVIEW'], undefined, ({ registrationNumber }) =>
      ledger.waitInReview(registrationNumber),
    ),
    cancelRegistration: step(
      ['ACCOUNT_HOLDER_CHECK', 'ARS_CALL', 'CONSENT_EVIDENCE', 'PAYMENT_GATEWAY_REGISTRATION'],
      undefined,
      ({ registrationNumber }) => ledger.cancel(registrationNumber),
    ),
  };
}
