import type { HashedToken } from '../runtime/bearer-tokens.ts';
import type { SecondPersonAct } from '../runtime/config.ts';
import { BrokenAuditTrail, serviceActor } from './audit-trail.ts';
import type { Stores } from './stores.ts';

/** Who may give commands, and what needs two of them. */
export interface Operators {
  readonly tokens: readonly HashedToken[];
  readonly secondPersonFor: readonly SecondPersonAct[];
}

const action = 'operators';

/**
 * Enters in the audit trail who may give commands from now on, unless it says so already. The API does it at its start. So the
 * trail shows who could act when, and nobody changes it for a single command. A trail that cannot be believed gets a new entry.
 */
export async function enterOperators(stores: Stores, { tokens, secondPersonFor }: Operators): Promise<void> {
  const details = { tokens, secondPersonFor };
  await stores.act(
    serviceActor,
    (acting) =>
      acting.auditTrail.findLatest(action).catch((error: unknown) => {
        if (error instanceof BrokenAuditTrail) return undefined;
        throw error;
      }),
    (latest) => (latest?.details === JSON.stringify(details) ? [] : { action, details }),
  );
}

/** Who may give commands, as the audit trail says; undefined before an API has started. @throws {BrokenAuditTrail} */
export async function readOperators({
  auditTrail,
}: Pick<Stores, 'auditTrail'>): Promise<Operators | undefined> {
  const latest = await auditTrail.findLatest(action);
  return latest && (JSON.parse(latest.details) as Operators);
}
