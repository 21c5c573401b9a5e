import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { CircuitBreakerPolicy } from 'cockatiel';
import type { OutageReason } from '../contract/activities.ts';
import { BankUnavailable, PaymentGatewayUnavailable } from './payment-gateway.ts';
import type { PaymentGateway } from './payment-gateway.ts';

/** When a circuit breaker opens, and how long it stays open before a question is let through to try. */
export interface CircuitBreakerOptions {
  /** As many failures one after another open it. */
  readonly failures: number;
  /** In ms. */
  readonly openFor: number;
}

/** Opens after ten failures in a row, tries again every 20 s: so a run that waits goes on within a minute. */
export const defaultCircuitBreakers: CircuitBreakerOptions = { failures: 10, openFor: 20_000 };

/** Tries again every two seconds, for trying things out. */
export const sandboxCircuitBreakers: CircuitBreakerOptions = { failures: 10, openFor: 2_000 };

/** Nothing was sent, because a circuit breaker is open. `until`: when the next question is let through, Unix ms. */
export class CircuitOpen extends PaymentGatewayUnavailable {
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
  /** Whether the breaker of the payment gateway is open, or that of the bank, where one is given. */
  isInterrupted(bankCode?: string): boolean;
  /** What is open at the moment: bank codes, and `PAYMENT_GATEWAY`. For metrics and operators. */
  openCircuits(): string[];
}

/**
 * Puts a payment gateway behind a circuit breaker, and each bank behind one of its own, so that one bank's outage
 * stops questions to that bank only. While one is open, what would be asked fails at once with {@link CircuitOpen}.
 * The breakers are this process's own: another one finds out for itself.
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
  // The bank's is asked first: a question it holds back must not count as an answer of the payment gateway.
  const askBank = <Answer>(bankCode: string, ask: () => Promise<Answer>) =>
    bank(bankCode).ask(() => gateway.ask(ask));

  return {
    inquireAccountHolder: (account, signal) =>
      askBank(account.bankCode, () => paymentGateway.inquireAccountHolder(account, signal)),
    register: (order, signal) => askBank(order.bankCode, () => paymentGateway.register(order, signal)),
    placeArsCall: (order, signal) => gateway.ask(() => paymentGateway.placeArsCall(order, signal)),
    inquireArsCall: (call, signal) => gateway.ask(() => paymentGateway.inquireArsCall(call, signal)),
    fetchRecording: (callId, signal) => gateway.ask(() => paymentGateway.fetchRecording(callId, signal)),
    inquireRegistration: (reference, signal) =>
      gateway.ask(() => paymentGateway.inquireRegistration(reference, signal)),
    registerAutoCharge: (reference, signal) =>
      gateway.ask(() => paymentGateway.registerAutoCharge(reference, signal)),
    removeRegistration: (reference, signal) =>
      gateway.ask(() => paymentGateway.removeRegistration(reference, signal)),
    listRegistrations: (page, signal) => gateway.ask(() => paymentGateway.listRegistrations(page, signal)),
    isInterrupted: (bankCode) =>
      gateway.isOpen() || (bankCode !== undefined && (banks.get(bankCode)?.isOpen() ?? false)),
    openCircuits: () => [
      ...(gateway.isOpen() ? ['PAYMENT_GATEWAY'] : []),
      ...[...banks].filter(([, breaker]) => breaker.isOpen()).map(([bankCode]) => bankCode),
    ],
  };
}

interface Breaker {
  /** @throws {CircuitOpen} without asking while it is open */
  ask<Answer>(question: () => Promise<Answer>): Promise<Answer>;
  isOpen(): boolean;
}

function createBreaker(
  reason: OutageReason,
  isFailure: (error: Error) => boolean,
  { failures, openFor }: CircuitBreakerOptions,
): Breaker {
  const policy: CircuitBreakerPolicy = circuitBreaker(
    // One breaker inside another: what the inner one holds back is no failure of the outer one's.
    handleWhen((error) => isFailure(error) && !(error instanceof CircuitOpen)),
    { breaker: new ConsecutiveBreaker(failures), halfOpenAfter: openFor },
  );
  let openUntil = 0;
  policy.onBreak(() => (openUntil = Date.now() + openFor));
  return {
    async ask(question) {
      try {
        return await policy.execute(question);
      } catch (error) {
        throw error instanceof BrokenCircuitError ? new CircuitOpen(reason, openUntil) : error;
      }
    },
    isOpen: () => policy.state !== CircuitState.Closed,
  };
}
