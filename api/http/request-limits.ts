import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import type { BulkheadPolicy } from 'cockatiel';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Api } from '../context.ts';
import { Refusal } from './refusal.ts';
import { codes } from '../../wire/result-codes.ts';

/** What travels with a request, and the connection it came by. */
type ServedApi = Api & { readonly Bindings: HttpBindings };

/** How much one process takes on. */
export interface RequestLimits {
  /** Of a project, in any one second. */
  readonly requestsPerSecond: number;
  /** Of a project, beyond that, in any ten seconds. */
  readonly requestBurst: number;
  /** Of a project, worked on at the same time. */
  readonly concurrentRequests: number;
  /** Of a project, waiting for their turn beyond that. */
  readonly waitingRequests: number;
  /** Of everybody together, proven or not, once they are there as a whole. */
  readonly requestsInHand: number;
}

/** The limits that the environment gives. */
export function requestLimits(config: {
  readonly REQUESTS_PER_SECOND: number;
  readonly REQUEST_BURST: number;
  readonly CONCURRENT_REQUESTS: number;
  readonly WAITING_REQUESTS: number;
  readonly REQUESTS_IN_HAND: number;
}): RequestLimits {
  return {
    requestsPerSecond: config.REQUESTS_PER_SECOND,
    requestBurst: config.REQUEST_BURST,
    concurrentRequests: config.CONCURRENT_REQUESTS,
    waitingRequests: config.WAITING_REQUESTS,
    requestsInHand: config.REQUESTS_IN_HAND,
  };
}

/** What a refused caller is asked to wait for a turn, in seconds: most requests take less. */
const turn = 1;

/**
 * Keeps projects out of each other's way: how often each may call, and how many of its requests are worked on at a
 * time, so that a quiet project's request waits behind few of a noisy one's. Only proven callers may be counted here,
 * or anybody could use up the quota of a project they name. It counts within this process; over several processes a
 * project may have that much of each.
 */
export class ProjectLimits {
  readonly #limits: RequestLimits;
  readonly #refusals: Metrics['limitedRequests'];
  readonly #rate: BurstyRateLimiter;
  readonly #workers = new Map<string, BulkheadPolicy>();

  constructor(limits: RequestLimits, { limitedRequests }: Pick<Metrics, 'limitedRequests'>) {
    this.#limits = limits;
    this.#refusals = limitedRequests;
    this.#rate = new BurstyRateLimiter(
      new RateLimiterMemory({ points: limits.requestsPerSecond, duration: 1 }),
      new RateLimiterMemory({ points: limits.requestBurst, duration: 10 }),
    );
  }

  /** Does a project's work in its turn. Refuses with `000_914` when the project asks for more than it may. */
  async run<Result>(aspId: string, work: () => Promise<Result>): Promise<Result> {
    await this.#rate.consume(aspId).catch((reason: unknown) => {
      if (!(reason instanceof RateLimiterRes)) throw reason;
      throw this.#refuse(aspId, 'rate', Math.ceil(reason.msBeforeNext / 1_000));
    });
    try {
      return await this.#workersOf(aspId).execute(work);
    } catch (error) {
      if (error instanceof BulkheadRejectedError) throw this.#refuse(aspId, 'concurrency', turn);
      throw error;
    }
  }

  #workersOf(aspId: string): BulkheadPolicy {
    const known = this.#workers.get(aspId);
    if (known) return known;
    const workers = bulkhead(this.#limits.concurrentRequests, this.#limits.waitingRequests);
    this.#workers.set(aspId, workers);
    return workers;
  }

  #refuse(aspId: string, limit: 'rate' | 'concurrency', seconds: number): Refusal {
    this.#refusals.inc({ project: aspId, limit });
    return new Refusal(codes.TOO_MANY_REQUESTS, { retryAfter: Math.max(1, seconds) });
  }
}

/**
 * Refuses with `000_991` what would be too much in hand. A request is in hand once all of it is there: one that comes
 * slowly takes up a connection, of which there is a most, but no place of those who are served.
 */
export function limitRequestsInHand({ requestsInHand }: RequestLimits): MiddlewareHandler<ServedApi> {
  let inHand = 0;
  return async ({ req: request, env: { incoming } }, next) => {
    await request.arrayBuffer().catch((error: unknown) => {
      // The client has hung up before all of it was there: no failure of this side.
      throw incoming.complete ? error : new Refusal(codes.REQUEST_TIMEOUT);
    });
    if (inHand >= requestsInHand) throw new Refusal(codes.SERVICE_UNAVAILABLE);
    inHand++;
    try {
      await next();
    } finally {
      inHand--;
    }
  };
}

/** Refuses with `000_991` while this many answers have not been read to their end: for answers that are large. */
export function limitUnreadAnswers(most: number): MiddlewareHandler<ServedApi> {
  let unread = 0;
  return async ({ env: { outgoing } }, next) => {
    if (unread >= most) throw new Refusal(codes.SERVICE_UNAVAILABLE);
    unread++;
    outgoing.once('close', () => unread--);
    await next();
  };
}
