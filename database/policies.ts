import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type { Queries } from './database.ts';
import { AlteredRow, canonicalJson } from './row-seals.ts';
import { policies } from './schema.ts';

/** How long a stored policy is known to be there, in ms: a restore of the database may take it away. */
const keptFor = 10_000;

/** The policies of registrations. Each is stored once; a registration's row names its own. */
export function createPolicies(queries: Queries) {
  const known = new LRUCache<string, RegistrationPolicy>({ max: 100 });
  const kept = new LRUCache<string, true>({ max: 100, ttl: keptFor });

  return {
    /** Stores a policy, if it is not there yet. @returns its ID */
    async keep(policy: RegistrationPolicy): Promise<string> {
      const policyId = idOf(policy);
      if (kept.has(policyId)) return policyId;
      await queries.insert(policies).values({ policyId, policy }).onConflictDoNothing();
      kept.set(policyId, true);
      known.set(policyId, policy);
      return policyId;
    },

    /** The IDs of the policies that somebody has altered. */
    async findAltered(): Promise<string[]> {
      const rows = await queries.select().from(policies);
      return rows.filter((row) => idOf(row.policy) !== row.policyId).map(({ policyId }) => policyId);
    },

    /** The policy of this ID. Throws when there is none. @throws {AlteredRow} */
    async get(policyId: string): Promise<RegistrationPolicy> {
      const cached = known.get(policyId);
      if (cached) return cached;
      const [row] = await queries.select().from(policies).where(eq(policies.policyId, policyId));
      if (!row) throw new Error(`There is no policy ${policyId}.`);
      if (idOf(row.policy) !== policyId) throw new AlteredRow(`The policy ${policyId} was altered.`);
      known.set(policyId, row.policy);
      return row.policy;
    },
  };
}

/** The ID authenticates the policy: it stands in the sealed rows of registrations. */
function idOf(policy: RegistrationPolicy): string {
  return createHash('sha256').update(canonicalJson(policy)).digest('hex');
}
