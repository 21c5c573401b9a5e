import { purge } from './activity-proxies.ts';

/** Destroys the evidence of consent whose retention period is over. A schedule starts it every day. */
export async function purgeExpiredEvidence(): Promise<{ readonly purged: number }> {
  return await purge();
}
