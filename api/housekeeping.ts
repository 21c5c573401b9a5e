import type { ApiParts } from './context.ts';

const hour = 60 * 60 * 1_000;

/** Forgets the ciphertexts whose time window is over, now and every hour. @returns what stops it */
export function startHousekeeping({ stores, log }: Pick<ApiParts, 'stores' | 'log'>): () => void {
  const clean = () => {
    stores.acceptedCiphertexts
      .forgetExpired()
      .catch((error: unknown) => log.warn({ err: error }, 'expired ciphertexts were not forgotten'));
  };
  clean();
  const timer = setInterval(clean, hour);
  return () => clearInterval(timer);
}
