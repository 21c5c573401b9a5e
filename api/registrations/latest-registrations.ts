import { LRUCache } from 'lru-cache';

/** How long a registration is remembered, in ms: longer than any request takes. */
const memory = 60_000;

/** What a client needs to continue with a registration. */
export interface StartedRegistration {
  readonly bankAccRegNo: string;
  /** The ARS code, if it was issued for this registration. */
  readonly authNumber?: string;
}

/** The outcome of a start: a new registration, or what is known of the operation that is already running. */
export type StartOutcome =
  | { readonly isNew: true; readonly registration: StartedRegistration }
  | { readonly isNew: false; readonly registration: Partial<StartedRegistration> };

/**
 * Remembers each member's latest registration in this process, so a duplicate is decided by its arrival time. Temporal
 * refuses a second run only while the first one is running, but a run can end while a duplicate that arrived with it
 * still waits. Also, hundreds of simultaneous starts of one workflow ID would keep Temporal busy refusing them. So each
 * member has one start in progress at a time, and every request that arrived before its end is a duplicate.
 */
export class LatestRegistrations {
  readonly #latest = new LRUCache<string, { registration: Partial<StartedRegistration>; knownAt: number }>({
    max: 100_000,
    ttl: memory,
  });
  readonly #startsInProgress = new Map<string, Promise<unknown>>();

  /**
   * Calls `start` unless another registration of this member became known after `arrival`. Waits for a start in progress.
   * @param memberKey service provider and member ID
   * @param arrival when the request arrived, as a `performance.now()` time
   */
  async startUnlessDuplicate(
    memberKey: string,
    arrival: number,
    start: () => Promise<StartOutcome>,
  ): Promise<StartOutcome> {
    for (;;) {
      const latest = this.#latest.get(memberKey);
      if (latest && arrival <= latest.knownAt) return { isNew: false, registration: latest.registration };
      const inProgress = this.#startsInProgress.get(memberKey);
      if (!inProgress) break;
      await inProgress.catch(() => undefined);
    }
    const outcome = this.#startAndRemember(memberKey, start);
    this.#startsInProgress.set(memberKey, outcome);
    return await outcome;
  }

  async #startAndRemember(memberKey: string, start: () => Promise<StartOutcome>): Promise<StartOutcome> {
    try {
      const outcome = await start();
      this.#latest.set(memberKey, { registration: outcome.registration, knownAt: performance.now() });
      return outcome;
    } finally {
      this.#startsInProgress.delete(memberKey);
    }
  }
}
