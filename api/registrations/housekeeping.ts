import type { ApiParts } from '../context.ts';
import { withdrawOrphanedRegistrations } from './orphaned-registrations.ts';

const minute = 60 * 1_000;

/** When to tidy up, in ms. */
export interface HousekeepingTimes {
  /** Between two times. */
  readonly interval: number;
  /** How long a registration may stand without a run: far longer than a start can be under way. */
  readonly startLimit: number;
}

const defaultTimes: HousekeepingTimes = { interval: 60 * minute, startLimit: 10 * minute };

/**
 * Forgets what is no longer compared or counted, and takes back registrations whose run never began, now and every so
 * often. @returns what stops it
 */
export function startHousekeeping(
  { stores, temporal, log }: Pick<ApiParts, 'stores' | 'temporal' | 'log'>,
  { interval, startLimit }: HousekeepingTimes = defaultTimes,
): () => void {
  const attempt = (work: Promise<void>, trouble: string) =>
    void work.catch((error: unknown) => log.warn({ err: error }, trouble));
  const clean = () => {
    attempt(stores.acceptedCiphertexts.forgetExpired(), 'expired ciphertexts were not forgotten');
    attempt(stores.arsCalls.forgetEarlierDays(), 'the calls of earlier days were not forgotten');
    attempt(
      withdrawOrphanedRegistrations({ stores, temporal, log }, new Date(Date.now() - startLimit)),
      'registrations that never began were not taken back',
    );
  };
  clean();
  const timer = setInterval(clean, interval);
  return () => clearInterval(timer);
}
