import { KeyRing } from '../encryption/key-ring.ts';
import { createAccountChecks } from './account-checks.ts';
import { createAccounts } from './accounts.ts';
import { createAuditTrail } from './audit-trail.ts';
import type { Act, Actor } from './audit-trail.ts';
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
import { createPayloadKeys } from './payload-keys.ts';
import { createPolicies } from './policies.ts';
import { createProjects } from './projects.ts';
import { createReconciliations } from './reconciliations.ts';
import { createRememberedRequests } from './remembered-requests.ts';
import { createResultNotifications } from './result-notifications.ts';
import { createRegistrations } from './registrations.ts';
import { createRetention } from './retention.ts';
import { createRowSeals } from './row-seals.ts';

/** Everything the service stores. */
export type Stores = ActingStores & {
  /**
   * Does something that belongs into the audit trail, and enters it, in one transaction. If `work` throws, nothing was done
   * and there is no entry. Throws after the act, too, when its entry is gone by then: somebody has changed the database.
   * @param work what is to be done, with the stores that it is handed
   * @param describe what was done, by the result of `work`; an empty list: nothing
   */
  act<Result>(
    actor: Actor,
    work: (acting: ActingStores) => Promise<Result>,
    describe: (result: Result) => Act | readonly Act[],
  ): Promise<Result>;
};

/** The stores within the transaction of an act. */
export type ActingStores = ReturnType<typeof createTables>;

/** Opens the stores of a database. `databaseKeys`: `id:base64` of 32 bytes each, the first one active. */
export function createStores(queries: Queries, databaseKeys: string): Stores {
  const keys = new KeyRing(databaseKeys);
  const tables = createTables(queries, keys);
  return {
    ...tables,
    async act(actor, work, describe) {
      let entered: number | undefined;
      const result = await queries.transaction(async (transaction) => {
        const acting = createTables(transaction, keys);
        const done = await work(acting);
        const [first, ...others] = [describe(done)].flat();
        if (first) entered = await acting.auditTrail.append(actor, [first, ...others]);
        return done;
      });
      tables.projects.forgetRecent();
      if (entered !== undefined && !(await tables.auditTrail.findAuthentic(entered)))
        throw new Error(
          `This was done, but entry ${entered} of the audit trail is gone: somebody has changed the database.`,
        );
      return result;
    },
  };
}

function createTables(queries: Queries, keys: KeyRing) {
  const arsCalls = createArsCalls(queries, keys);
  const rowSeals = createRowSeals(queries, keys);
  return {
    projects: createProjects(queries, keys, rowSeals),
    members: createMembers(queries, keys, rowSeals),
    arsCodes: createArsCodes(queries),
    arsCalls,
    accountChecks: createAccountChecks(queries),
    bankWindows: createBankWindows(queries, rowSeals),
    policies: createPolicies(queries),
    registrations: createRegistrations(queries, keys, rowSeals),
    ledger: createLedger(queries, arsCalls, rowSeals),
    incarnations: createIncarnations(queries),
    accounts: createAccounts(queries, rowSeals),
    consentEvidence: createConsentEvidence(queries, rowSeals),
    legalHolds: createLegalHolds(queries, rowSeals),
    retention: createRetention(queries, rowSeals),
    resultNotifications: createResultNotifications(queries, rowSeals),
    reconciliations: createReconciliations(queries),
    rememberedRequests: createRememberedRequests(queries, keys),
    databaseKeys: createDatabaseKeys(queries, keys),
    payloadKeys: createPayloadKeys(queries),
    auditTrail: createAuditTrail(queries, keys),
    rowSeals,
  };
}
