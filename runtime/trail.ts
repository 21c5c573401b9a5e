import { AsyncLocalStorage } from 'node:async_hooks';

/** What is done for one request of a client belongs together, in whatever process it is done. */
export interface Trail {
  /** Of the request that began it. Never what a client made up: see `keptCorrelationId` in `wire/headers.ts`. */
  correlationId?: string | undefined;
  registrationNumber?: string | undefined;
}

const trails = new AsyncLocalStorage<Trail>();

/** Does work that belongs to a trail. Every log line and every request of it carries the trail. */
export function withTrail<Result>(trail: Trail, work: () => Result): Result {
  return trails.run({ ...trail }, work);
}

/** Adds what has become known of the trail that is being worked on. Null: it is not known. */
export function addToTrail({
  correlationId,
  registrationNumber,
}: {
  readonly correlationId?: string | null;
  readonly registrationNumber?: string;
}): void {
  const trail = trails.getStore();
  if (!trail) return;
  if (correlationId) trail.correlationId = correlationId;
  if (registrationNumber) trail.registrationNumber = registrationNumber;
}

/** The trail that is being worked on; empty for work that belongs to none. */
export function currentTrail(): Readonly<Trail> {
  return trails.getStore() ?? {};
}

/** The headers that carry the trail to the payment gateway. */
export function trailHeaders(): Record<string, string> {
  const { correlationId } = currentTrail();
  return correlationId === undefined ? {} : { 'x-correlation-id': correlationId };
}
