import type { ApiParts } from '../parts.ts';
import { removeOrphanedRegistrations } from './orphaned-registrations.ts';

const minute = 60 * 1_000;

/** When housekeeping runs, in ms. */
export interface HousekeepingTimes {
  /** The time between two runs. */
  readonly interval: number;
  /** The age from which a registration without a run is orphaned: far longer than a start can take. */
  readonly startLimit: number;
}

const defaultTimes: HousekeepingTimes = { interval: 60 * minute, startLimit: 10 * minute };

/**
 * Deletes expired ciphertext hashes, the call counts of earlier days and orphaned registrations: now and at every
 * interval. A failure is logged, and the next run tries again.
 * @returns a function that stops it
 */
export function startHousekeeping(
  { stores, temporal, log }: Pick<ApiParts, 'stores' | 'temporal' | 'log'>,
  { interval, startLimit }: HousekeepingTimes = defaultTimes,
): () => void {
  const attempt = (work: Promise<void>, failure: string) =>
    void work.catch((error: unknown) => log.warn({ err: error }, failure));
  const clean = () => {
    attempt(stores.acceptedCiphertexts.forgetExpired(), 'could not delete expired ciphertext hashes');
    attempt(stores.arsCalls.deleteEarlierDays(), 'could not delete the call counts of earlier days');
    attempt(
      removeOrphanedRegistrations({ stores, temporal, log }, new Date(Date.now() - startLimit)),
      'could not remove orphaned registrations',
    );
  };
  clean();
  const timer = setInterval(clean, interval);
  return () => clearInterval(timer);
}
