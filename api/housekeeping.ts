import type { ApiParts } from './context.ts';
import { takeBackUnbegun } from './unbegun-registrations.ts';

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
 * Forgets the ciphertexts whose time window is over and takes back registrations whose run never began, now and
 * every so often. @returns what stops it
 */
export function startHousekeeping(
  { stores, temporal, log }: Pick<ApiParts, 'stores' | 'temporal' | 'log'>,
  { interval, startLimit }: HousekeepingTimes = defaultTimes,
): () => void {
  const clean = () => {
    stores.acceptedCiphertexts
      .forgetExpired()
      .catch((error: unknown) => log.warn({ err: error }, 'expired ciphertexts were not forgotten'));
    takeBackUnbegun({ stores, temporal, log }, new Date(Date.now() - startLimit)).catch((error: unknown) =>
      log.warn({ err: error }, 'registrations that never began were not taken back'),
    );
  };
  clean();
  const timer = setInterval(clean, interval);
  return () => clearInterval(timer);
}
