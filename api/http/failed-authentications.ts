import { setTimeout as delay } from 'node:timers/promises';
import type { MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { codes } from '../../wire/result-codes.ts';
import type { ResultCode } from '../../wire/result-codes.ts';
import type { ServedApi } from '../context.ts';
import type { RequestLimits } from './request-limits.ts';

const minute = 60_000;

/** How long an answer waits at least and at most, in ms; it doubles with each failure. */
const firstWait = 100;
const maxWait = 5_000;

/** How many answers wait at a time; further ones are given at once. */
const maxWaiting = 1_000;

/** How many networks are remembered. */
const maxNetworks = 10_000;

const failures: readonly (ResultCode | undefined)[] = [
  codes.UNKNOWN_PROJECT,
  codes.INACTIVE_PROJECT_OR_KEY,
  codes.WRONG_TOKEN,
  codes.TIME_OUT_OF_WINDOW,
];

/**
 * Delays the answers to failed authentications of a client that has many of them, whichever key or token it tries. Nothing
 * else waits: a request with valid keys is served at once, so nobody can lock out another, not even from the same address.
 */
export function slowDownFailures({
  failuresPerMinute,
}: Pick<RequestLimits, 'failuresPerMinute'>): MiddlewareHandler<ServedApi> {
  const counts = new LRUCache<string, number>({ max: maxNetworks, ttl: minute });
  let waiting = 0;
  return async (context, next) => {
    await next();
    if (context.res.status !== 401 && !failures.includes(context.var.resultCode)) return;
    const network = networkOf(context.var.address);
    const count = (counts.get(network) ?? 0) + 1;
    counts.set(network, count);
    const excess = count - failuresPerMinute;
    if (excess <= 0 || waiting >= maxWaiting) return;
    waiting++;
    await delay(Math.min(firstWait * 2 ** (excess - 1), maxWait));
    waiting--;
  };
}

/** An IPv6 client has as many addresses as it likes, but in one /64. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4' ? parsed.toString() : parsed.toByteArray().slice(0, 8).join('.');
}
