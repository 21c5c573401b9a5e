import { AsyncLocalStorage } from 'node:async_hooks';

/** What is done for one request of a client belongs together, in whatever process it is done. */
export interface Correlation {
  /** Of the request that began it. Never what a client made up: see `keptCorrelationId` in `wire/headers.ts`. */
  correlationId?: string | undefined;
  registrationNumber?: string | undefined;
}

const current = new AsyncLocalStorage<Correlation>();

/** Does work that belongs to a client's request. Every log line and every request of it carries the correlation. */
export function withCorrelation<Result>(correlation: Correlation, work: () => Result): Result {
  return current.run({ ...correlation }, work);
}

/** Adds what has become known of the current correlation. Null: it is not known. */
export function addToCorrelation({
  correlationId,
  registrationNumber,
}: {
  readonly correlationId?: string | null;
  readonly registrationNumber?: string;
}): void {
  const correlation = current.getStore();
  if (!correlation) return;
  if (correlationId) correlation.correlationId = correlationId;
  if (registrationNumber) correlation.registrationNumber = registrationNumber;
}

/** Of the work that is being done; empty if no client's request began it. */
export function currentCorrelation(): Readonly<Correlation> {
  return current.getStore() ?? {};
}

/** The headers that carry the correlation to the payment gateway. */
export function correlationHeaders(): Record<string, string> {
  const { correlationId } = currentCorrelation();
  return correlationId === undefined ? {} : { 'x-correlation-id': correlationId };
}
