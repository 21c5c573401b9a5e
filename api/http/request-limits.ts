import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import type { BulkheadPolicy } from 'cockatiel';
import type { MiddlewareHandler } from 'hono';
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Metrics } from '../../runtime/metrics.ts';
import { codes } from '../../wire/result-codes.ts';
import type { ServedApi } from '../context.ts';
import { Refusal } from './refusal.ts';

/** The limits of one process. */
export interface RequestLimits {
  /** Requests of one project per second. */
  readonly requestsPerSecond: number;
  /** Additional requests of one project per ten seconds. */
  readonly requestBurst: number;
  /** Concurrent requests of one project. */
  readonly concurrentRequests: number;
  /** Requests of one project that may wait for a turn. */
  readonly waitingRequests: number;
  /** Requests of all clients together, authenticated or not, that have arrived and have no response yet. */
  readonly requestsInFlight: number;
  /** Failed authentications of one client address per minute that are answered at once. Further answers wait. */
  readonly failuresPerMinute: number;
}

/** Reads the limits from the configuration. */
export function requestLimits(config: {
  readonly REQUESTS_PER_SECOND: number;
  readonly REQUEST_BURST: number;
  readonly CONCURRENT_REQUESTS: number;
  readonly WAITING_REQUESTS: number;
  readonly REQUESTS_IN_FLIGHT: number;
  readonly FAILURES_PER_MINUTE: number;
}): RequestLimits {
  return {
    requestsPerSecond: config.REQUESTS_PER_SECOND,
    requestBurst: config.REQUEST_BURST,
    concurrentRequests: config.CONCURRENT_REQUESTS,
    waitingRequests: config.WAITING_REQUESTS,
    requestsInFlight: config.REQUESTS_IN_FLIGHT,
    failuresPerMinute: config.FAILURES_PER_MINUTE,
  };
}

/** The Retry-After of a refused request, in seconds: most requests take less. */
const retryAfterTurn = 1;

/**
 * Isolates projects from each other: limits how often a project calls and how many of its requests run concurrently, so
 * a quiet project never waits behind many requests of a noisy one. Pass authenticated requests only; otherwise anybody
 * could use up a project's quota. Each process counts on its own.
 *
 * @example
 * ```ts
 * const limits = new ProjectLimits(requestLimits(config), metrics);
 * const payload = await limits.run(project.aspId, () => handle(request));
 * ```
 */
export class ProjectLimits {
  readonly #limits: RequestLimits;
  readonly #refusals: Metrics['limitedRequests'];
  readonly #rate: BurstyRateLimiter;
  readonly #bulkheads = new Map<string, BulkheadPolicy>();

  constructor(limits: RequestLimits, { limitedRequests }: Pick<Metrics, 'limitedRequests'>) {
    this.#limits = limits;
    this.#refusals = limitedRequests;
    this.#rate = new BurstyRateLimiter(
      new RateLimiterMemory({ points: limits.requestsPerSecond, duration: 1 }),
      new RateLimiterMemory({ points: limits.requestBurst, duration: 10 }),
    );
  }

  /** Calls `work` when it is the project's turn. Refuses with `000_914` when the project exceeds a limit. */
  async run<Result>(aspId: string, work: () => Promise<Result>): Promise<Result> {
    await this.#rate.consume(aspId).catch((reason: unknown) => {
      if (!(reason instanceof RateLimiterRes)) throw reason;
      throw this.#refuse(aspId, 'rate', Math.ceil(reason.msBeforeNext / 1_000));
    });
    try {
      return await this.#bulkheadOf(aspId).execute(work);
    } catch (error) {
      if (error instanceof BulkheadRejectedError) throw this.#refuse(aspId, 'concurrency', retryAfterTurn);
      throw error;
    }
  }

  #bulkheadOf(aspId: string): BulkheadPolicy {
    const existing = this.#bulkheads.get(aspId);
    if (existing) return existing;
    const created = bulkhead(this.#limits.concurrentRequests, this.#limits.waitingRequests);
    this.#bulkheads.set(aspId, created);
    return created;
  }

  #refuse(aspId: string, limit: 'rate' | 'concurrency', seconds: number): Refusal {
    this.#refusals.inc({ project: aspId, limit });
    return new Refusal(codes.TOO_MANY_REQUESTS, { retryAfter: Math.max(1, seconds) });
  }
}

/**
 * Refuses requests with `000_991` while `requestsInFlight` others have no response yet. A request counts from the moment
 * its body has arrived, so slow clients use up connections, which have their own limit, but none of these slots.
 * Refuses with `000_915` when the client disconnects before its body has arrived.
 *
 * @example
 * ```ts
 * app.use(limitRequestsInFlight({ requestsInFlight: 1_000 }));
 * ```
 */
export function limitRequestsInFlight({
  requestsInFlight: max,
}: Pick<RequestLimits, 'requestsInFlight'>): MiddlewareHandler<ServedApi> {
  let inFlight = 0;
  return async ({ req: request, env: { incoming } }, next) => {
    await request.arrayBuffer().catch((error: unknown) => {
      // A client that disconnects is not an error of this service.
      throw incoming.complete ? error : new Refusal(codes.REQUEST_TIMEOUT);
    });
    if (inFlight >= max) throw new Refusal(codes.SERVICE_UNAVAILABLE);
    inFlight++;
    try {
      await next();
    } finally {
      inFlight--;
    }
  };
}

/**
 * Refuses requests with `000_991` while clients have not read `max` responses to their end. For large responses, which
 * would otherwise fill the memory.
 *
 * @example
 * ```ts
 * app.use('/docs/*', limitUnreadResponses(100));
 * ```
 */
export function limitUnreadResponses(max: number): MiddlewareHandler<ServedApi> {
  let unread = 0;
  return async ({ env: { outgoing } }, next) => {
    if (unread >= max) throw new Refusal(codes.SERVICE_UNAVAILABLE);
    unread++;
    outgoing.once('close', () => unread--);
    await next();
  };
}
