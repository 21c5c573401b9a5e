import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type { Queries } from './database.ts';
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
      const policyId = createHash('sha256').update(JSON.stringify(policy)).digest('hex');
      if (kept.has(policyId)) return policyId;
      await queries.insert(policies).values({ policyId, policy }).onConflictDoNothing();
      kept.set(policyId, true);
      known.set(policyId, policy);
      return policyId;
    },

    /** The policy of this ID. Throws when there is none. */
    async get(policyId: string): Promise<RegistrationPolicy> {
      const cached = known.get(policyId);
      if (cached) return cached;
      const [row] = await queries.select().from(policies).where(eq(policies.policyId, policyId));
      if (!row) throw new Error(`There is no policy ${policyId}.`);
      known.set(policyId, row.policy);
      return row.policy;
    },
  };
}
