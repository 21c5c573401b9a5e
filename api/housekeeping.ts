import type { ApiParts } from './context.ts';

const hour = 60 * 60 * 1_000;

/** Forgets, now and every hour, what is no longer compared or counted. @returns what stops it */
export function startHousekeeping({ stores, log }: Pick<ApiParts, 'stores' | 'log'>): () => void {
  const clean = () => {
    Promise.all([stores.acceptedCiphertexts.forgetExpired(), stores.arsCalls.forgetEarlierDays()]).catch(
      (error: unknown) => log.warn({ err: error }, 'what is over was not forgotten'),
    );
  };
  clean();
  const timer = setInterval(clean, hour);
  return () => clearInterval(timer);
}
