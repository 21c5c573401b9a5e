import { destroyErasedKeys, freeDeleted } from '../../database/vacuum.ts';
import type { ApiParts } from '../parts.ts';

/** The time between two runs, in ms. */
const defaultInterval = 60 * 60 * 1_000;

/**
 * Deletes what is not needed any more: expired Idempotency-Keys and ciphertext hashes, the call counts of earlier days,
 * withdrawn registrations, old effects, and what was erased or purged from the files of the database; now and at every
 * interval. A failure is logged, and the next run tries again.
 * @returns a function that stops it
 */
export function startHousekeeping(
  { stores, database, log }: Pick<ApiParts, 'stores' | 'database' | 'log'>,
  interval: number = defaultInterval,
): () => void {
  const attempt = (work: Promise<void>, failure: string) =>
    void work.catch((error: unknown) => log.warn({ err: error }, failure));
  const clean = () => {
    attempt(deleteExpiredRequests(), 'could not delete expired requests');
    attempt(stores.arsCalls.deleteEarlierDays(), 'could not delete the call counts of earlier days');
    attempt(stores.registrations.deleteWithdrawn(), 'could not delete withdrawn registrations');
    attempt(deleteOldEffects(), 'could not delete old effects');
    attempt(destroyKeys(), 'could not remove the keys of erased members from the files of the database');
    attempt(free(), 'could not vacuum what was purged or erased');
  };

  async function destroyKeys(): Promise<void> {
    const { destroyed, left } = await destroyErasedKeys(database);
    if (destroyed > 0)
      log.info({ destroyed }, 'removed the keys of erased members from the files of the database');
    if (left > 0) log.warn({ left }, 'keys of erased members are still in the files of the database');
  }

  async function free(): Promise<void> {
    if (await freeDeleted(database)) log.info('vacuumed what was purged or erased');
  }

  async function deleteOldEffects(): Promise<void> {
    const deleted = await stores.ledger.deleteOld();
    if (deleted > 0) log.info({ deleted }, 'deleted the effects of registrations that ended 90 days ago');
  }

  async function deleteExpiredRequests(): Promise<void> {
    const { idempotencyKeys, ciphertexts } = await stores.rememberedRequests.deleteExpired();
    if (idempotencyKeys + ciphertexts > 0)
      log.info({ idempotencyKeys, ciphertexts }, 'deleted expired requests');
  }

  clean();
  const timer = setInterval(clean, interval);
  return () => clearInterval(timer);
}
