import { LRUCache } from 'lru-cache';

/** How long a registration is remembered, in ms: longer than any request is under way. */
const memory = 60_000;

/** What a caller needs to go on with a member's registration. */
export interface StartedRegistration {
  readonly bankAccRegNo: string;
  /** The code, where it was made for this registration. */
  readonly authNumber?: string;
}

/** What came of a start: a new registration, or the operation that was running already. */
export type StartOutcome =
  | { readonly isNew: true; readonly registration: StartedRegistration }
  | {
      readonly isNew: false;
      readonly registration: Partial<StartedRegistration>;
    };

/**
 * What this process knows of each member's latest registration, so that a burst of duplicates is judged as of its
 * arrival. Temporal refuses a second run while one is running; but a run can end while a duplicate that came
 * together with it is still on its way, and hundreds of starts of one ID at once only keep Temporal busy refusing
 * them. So one start per member is under way at a time, and who came before its end is its duplicate.
 */
export class LatestRegistrations {
  readonly #latest = new LRUCache<string, { registration: Partial<StartedRegistration>; at: number }>({
    max: 100_000,
    ttl: memory,
  });
  readonly #starts = new Map<string, Promise<unknown>>();

  /**
   * Does a start for a member, named by provider and ID, unless it turns out to be a duplicate: when a registration of the member was learned of
   * since `arrival`, a time of `performance.now()`, be it after waiting for a start under way.
   */
  async startUnlessDuplicate(
    member: string,
    arrival: number,
    start: () => Promise<StartOutcome>,
  ): Promise<StartOutcome> {
    for (;;) {
      const latest = this.#latest.get(member);
      if (latest && arrival <= latest.at) {
        return { isNew: false, registration: latest.registration };
      }
      const underWay = this.#starts.get(member);
      if (!underWay) break;
      await underWay.catch(() => undefined);
    }
    const outcome = this.#startAndLearn(member, start);
    this.#starts.set(member, outcome);
    return await outcome;
  }

  async #startAndLearn(member: string, start: () => Promise<StartOutcome>): Promise<StartOutcome> {
    try {
      const outcome = await start();
      this.#latest.set(member, { registration: outcome.registration, at: performance.now() });
      return outcome;
    } finally {
      this.#starts.delete(member);
    }
  }
}
