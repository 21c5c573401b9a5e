import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { CircuitBreakerPolicy } from 'cockatiel';
import type { OutageReason } from '../contract/activities.ts';
import { interceptPaymentGateway } from './interceptor.ts';
import { BankUnavailable, NothingSent, PaymentGatewayUnavailable } from './payment-gateway.ts';
import type { PaymentGateway } from './payment-gateway.ts';

/** When a circuit breaker opens, and how long it stays open until one request is let through as a trial. */
export interface CircuitBreakerOptions {
  /** Consecutive failures before it opens. */
  readonly failures: number;
  /** In ms. */
  readonly openFor: number;
}

/** Opens after ten failures in a row and lets a trial through every 20 s, so a waiting run resumes within a minute. */
export const defaultCircuitBreakers: CircuitBreakerOptions = { failures: 10, openFor: 20_000 };

/** Nothing was sent, because a circuit breaker is open. `until`: when the next request is let through, in Unix ms. */
export class CircuitOpen extends NothingSent {
  readonly reason: OutageReason;
  readonly until: number;

  constructor(reason: OutageReason, until: number) {
    super(`Nothing was sent: a circuit breaker is open (${reason}).`);
    this.reason = reason;
    this.until = until;
  }
}

/** A payment gateway behind circuit breakers. */
export interface GuardedPaymentGateway extends PaymentGateway {
  /** Whether the payment gateway's breaker is open, or the breaker of the given bank. */
  isInterrupted(bankCode?: string): boolean;
  /** The open breakers, for metrics and operators: bank codes, and `PAYMENT_GATEWAY`. */
  openCircuits(): string[];
}

/**
 * Puts a payment gateway behind a circuit breaker, and each bank behind one of its own, so that one bank's outage
 * stops requests to that bank only. While a breaker is open, its requests fail at once with {@link CircuitOpen}.
 * Each process has its own breakers; they share nothing.
 */
export function withCircuitBreakers(
  paymentGateway: PaymentGateway,
  options: CircuitBreakerOptions = defaultCircuitBreakers,
): GuardedPaymentGateway {
  const gateway = createBreaker(
    'PAYMENT_GATEWAY_UNAVAILABLE',
    (error) => error instanceof PaymentGatewayUnavailable && !(error instanceof BankUnavailable),
    options,
  );
  const banks = new Map<string, Breaker>();
  const bank = (bankCode: string) => {
    const known = banks.get(bankCode);
    if (known) return known;
    const breaker = createBreaker('BANK_UNAVAILABLE', (error) => error instanceof BankUnavailable, options);
    banks.set(bankCode, breaker);
    return breaker;
  };
  return {
    // The bank's breaker is outside: a request it holds back must not count as an answer of the payment gateway.
    ...interceptPaymentGateway(paymentGateway, ({ bankCode }, send) =>
      bankCode === undefined ? gateway.send(send) : bank(bankCode).send(() => gateway.send(send)),
    ),
    isInterrupted: (bankCode) =>
      gateway.isOpen() || (bankCode !== undefined && (banks.get(bankCode)?.isOpen() ?? false)),
    openCircuits: () => [
      ...(gateway.isOpen() ? ['PAYMENT_GATEWAY'] : []),
      ...[...banks].filter(([, breaker]) => breaker.isOpen()).map(([bankCode]) => bankCode),
    ],
  };
}

interface Breaker {
  /** @throws {CircuitOpen} without sending anything while it is open */
  send<Answer>(request: () => Promise<Answer>): Promise<Answer>;
  isOpen(): boolean;
}

function createBreaker(
  reason: OutageReason,
  isFailure: (error: Error) => boolean,
  { failures, openFor }: CircuitBreakerOptions,
): Breaker {
  const policy: CircuitBreakerPolicy = circuitBreaker(
    // The breakers are nested: a request that the inner one holds back is not a failure to the outer one.
    handleWhen((error) => isFailure(error) && !(error instanceof CircuitOpen)),
    { breaker: new ConsecutiveBreaker(failures), halfOpenAfter: openFor },
  );
  let openUntil = 0;
  policy.onBreak(() => (openUntil = Date.now() + openFor));
  return {
    async send(request) {
      try {
        return await policy.execute(request);
      } catch (error) {
        throw error instanceof BrokenCircuitError ? new CircuitOpen(reason, openUntil) : error;
      }
    },
    isOpen: () => policy.state !== CircuitState.Closed,
  };
}
