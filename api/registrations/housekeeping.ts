import type { ApiParts } from '../parts.ts';

/** The time between two runs, in ms. */
const defaultInterval = 60 * 60 * 1_000;

/**
 * Deletes what is not needed any more: expired Idempotency-Keys and ciphertext hashes, the call counts of earlier days,
 * withdrawn registrations and old effects; now and at every interval. A failure is logged, and the next run tries again.
 * @returns a function that stops it
 */
export function startHousekeeping(
  { stores, log }: Pick<ApiParts, 'stores' | 'log'>,
  interval: number = defaultInterval,
): () => void {
  const attempt = (work: Promise<void>, failure: string) =>
    void work.catch((error: unknown) => log.warn({ err: error }, failure));
  const clean = () => {
    attempt(deleteExpiredRequests(), 'could not delete expired requests');
    attempt(stores.arsCalls.deleteEarlierDays(), 'could not delete the call counts of earlier days');
    attempt(stores.registrations.deleteWithdrawn(), 'could not delete withdrawn registrations');
    attempt(deleteOldEffects(), 'could not delete old effects');
  };

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
