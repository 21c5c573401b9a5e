import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CircuitOpen, withCircuitBreakers } from '../../payment-gateway/circuit-breakers.ts';
import { BankUnavailable, PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import type { PaymentGateway } from '../../payment-gateway/payment-gateway.ts';

const openFor = 20_000;
let answers: Error | 'MATCHED';
let requests = 0;

beforeEach(() => {
  vi.useFakeTimers();
  requests = 0;
});
afterEach(() => void vi.useRealTimers());

function guarded() {
  const paymentGateway: Partial<PaymentGateway> = {
    inquireAccountHolder: async () => {
      requests++;
      if (answers !== 'MATCHED') throw answers;
      return answers;
    },
  };
  const breakers = withCircuitBreakers(paymentGateway as PaymentGateway, { failures: 3, openFor });
  const ask = async (bankCode: string) =>
    await breakers
      .inquireAccountHolder(
        { bankCode, accountNumber: '1', holderName: '김하늘', birthDate: '19900101' },
        AbortSignal.timeout(1_000),
      )
      .catch((error: unknown) => error);
  return { breakers, ask };
}

it('lets one trial through each time it has been open for so long, and closes when that is answered', async () => {
  answers = new BankUnavailable('away');
  const { breakers, ask } = guarded();
  for (let failure = 0; failure < 3; failure++) expect(await ask('081')).toBe(answers);
  expect(breakers.openCircuits()).toEqual(['081']);

  for (let trial = 1; trial <= 2; trial++) {
    vi.advanceTimersByTime(openFor - 1);
    expect(await ask('081')).toMatchObject({ reason: 'BANK_UNAVAILABLE', until: Date.now() + 1 });
    expect(requests).toBe(2 + trial);
    vi.advanceTimersByTime(1);
    const [first, second] = await Promise.all([ask('081'), ask('081')]);
    expect([first, second].filter((answer) => answer === answers)).toHaveLength(1);
    expect([first, second].filter((answer) => answer instanceof CircuitOpen)).toHaveLength(1);
    expect(requests).toBe(3 + trial);
  }

  answers = 'MATCHED';
  vi.advanceTimersByTime(openFor);
  expect(await ask('081')).toBe('MATCHED');
  expect(breakers.openCircuits()).toEqual([]);
});

it('of a bank leaves other banks alone', async () => {
  answers = new BankUnavailable('away');
  const { breakers, ask } = guarded();
  for (let failure = 0; failure < 3; failure++) await ask('081');
  answers = 'MATCHED';
  expect(await ask('081')).toMatchObject({
    message: 'Nothing was sent: a circuit breaker is open (BANK_UNAVAILABLE).',
  });
  expect(await ask('003')).toBe('MATCHED');
  const interrupted = ['081', '003', '088', undefined].map((code) => breakers.isInterrupted(code));
  expect(interrupted).toEqual([true, false, false, false]);
});

it('of the payment gateway stops requests to all banks', async () => {
  answers = new PaymentGatewayUnavailable('away');
  const { breakers, ask } = guarded();
  for (const bankCode of ['003', '081', '088']) await ask(bankCode);
  expect(breakers.openCircuits()).toEqual(['PAYMENT_GATEWAY']);
  expect(await ask('004')).toMatchObject({ reason: 'PAYMENT_GATEWAY_UNAVAILABLE' });
  expect([breakers.isInterrupted('004'), breakers.isInterrupted()]).toEqual([true, true]);
  expect(requests).toBe(3);
});
