import { KeyRing } from '../encryption/key-ring.ts';
import { createAccounts } from './accounts.ts';
import { createArsCalls } from './ars-calls.ts';
import { createArsCodes } from './ars-codes.ts';
import { createBankWindows } from './bank-windows.ts';
import { createConsentEvidence } from './consent-evidence.ts';
import { createDatabaseKeys } from './database-keys.ts';
import type { Queries } from './database.ts';
import { createIncarnations } from './incarnations.ts';
import { createLedger } from './ledger.ts';
import { createLegalHolds } from './legal-holds.ts';
import { createMembers } from './members.ts';
import { createPolicies } from './policies.ts';
import { createProjects } from './projects.ts';
import { createReconciliations } from './reconciliations.ts';
import { createRememberedRequests } from './remembered-requests.ts';
import { createResultNotifications } from './result-notifications.ts';
import { createRegistrations } from './registrations.ts';
import { createRetention } from './retention.ts';

/** Everything the service stores. */
export type Stores = ReturnType<typeof createStores>;

/** Opens the stores of a database. `databaseKeys`: `id:base64` of 32 bytes each, the first one active. */
export function createStores(queries: Queries, databaseKeys: string) {
  const keys = new KeyRing(databaseKeys);
  const arsCalls = createArsCalls(queries, keys);
  return {
    projects: createProjects(queries, keys),
    members: createMembers(queries, keys),
    arsCodes: createArsCodes(queries),
    arsCalls,
    bankWindows: createBankWindows(queries),
    policies: createPolicies(queries),
    registrations: createRegistrations(queries, keys),
    ledger: createLedger(queries, arsCalls),
    incarnations: createIncarnations(queries),
    accounts: createAccounts(queries),
    consentEvidence: createConsentEvidence(queries),
    legalHolds: createLegalHolds(queries),
    retention: createRetention(queries),
    resultNotifications: createResultNotifications(queries),
    reconciliations: createReconciliations(queries),
    rememberedRequests: createRememberedRequests(queries, keys),
    databaseKeys: createDatabaseKeys(queries, keys),
  };
}
