import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BankCode } from '../../wire/bank-codes.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { BankUnavailable, PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import type { PaymentGateway } from '../../payment-gateway/payment-gateway.ts';
import { operate } from '../fixtures/operate.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
let impatientApi: string;
/** What the payment gateway does instead of what the simulator would do. */
let faults: PaymentGatewayFaults = {};
let simulated: PaymentGateway;
let asked: { bankCode: string | undefined; at: number; inFlight: number }[] = [];
let inFlight = 0;
let nextMember = 0;
beforeAll(async () => {
  stack = await startStack({
    intercept: async (request, send) => {
      const { bankCode } = request;
      if (bankCode === '081') inFlight++;
      asked.push({ bankCode, at: Date.now(), inFlight });
      try {
        return await injectFaults(() => faults)(request, send);
      } finally {
        if (bankCode === '081') inFlight--;
      }
    },
  });
  ({ simulated } = stack);
  impatientApi = await stack.startAnotherApi({
    policy: { ...sandboxPolicy, closure: { giveUpAfter: 1_000, resumeWithin: 0, lookAgainWithin: 500 } },
  });
});
afterAll(() => stack.close());
beforeEach(() => {
  asked = [];
});
afterEach(async () => {
  faults = {};
  for (const { bankWindowId } of await stack.stores.bankWindows.list()) {
    await stack.stores.bankWindows.remove(bankWindowId);
  }
});

async function register(overrides: Readonly<Record<string, unknown>> = {}, url = stack.url) {
  const project = stack.projects[0];
  const request = registration(project, nextMember++, overrides);
  const { body } = await call(url, project, '/ars/register', request);
  expect(body.response.code).toBe('000_000');
  return String(body['bankAccRegNo']);
}

type Step = { step: string; outcome: string; until?: string };

async function timelineOf(regNo: string): Promise<Step[]> {
  const { body } = await call(stack.url, stack.projects[0], '/ars/register/timeline', { regNo });
  return body['steps'] as Step[];
}

const postponements = async (regNo: string) =>
  (await timelineOf(regNo)).filter(({ step }) => step === 'POSTPONED');

const untilPostponed = (regNo: string, outcome: string) =>
  expect
    .poll(() => postponements(regNo), { timeout: 20_000 })
    .toEqual([expect.objectContaining({ outcome, until: expect.any(String) })]);

const end = async (regNo: string) => (await untilEnded(stack.url, stack.projects[0], regNo)).body;
/** One that is under way is answered with 000_000, too. */
const ended = (code: string) =>
  expect.objectContaining({
    response: expect.objectContaining({ code }),
    ...(code === '000_000' && { status: 'BANK_ACC_REGISTERED' }),
  });

const closeFor = (bankCode: BankCode, milliseconds: number) =>
  stack.stores.bankWindows.add(bankCode, {
    once: { startsAt: new Date(Date.now() - 1_000), endsAt: new Date(Date.now() + milliseconds) },
  });

const callsOf = async (regNo: string) =>
  (await (await fetch(`${stack.simulatorUrl}/simulator/calls?reference=${regNo}`)).json()) as unknown[];

async function eventsOf(regNo: string): Promise<number> {
  const { userId } = (await stack.stores.registrations.openAny(regNo)).member;
  return (await stack.temporal.workflow.getHandle(userId).fetchHistory()).events!.length;
}

const ledgerOf = async (regNo: string) => {
  const ledger = (await (await fetch(`${stack.simulatorUrl}/simulator/registrations`)).json()) as {
    bankAccRegNo: string;
  }[];
  return ledger.filter(({ bankAccRegNo }) => bankAccRegNo === regNo);
};

describe('a bank’s maintenance window', () => {
  it('makes a registration wait without asking the bank, show until when, and resume by itself', async () => {
    await closeFor('088', 10_000);
    const endsAt = (await stack.stores.bankWindows.closedUntil('088', Date.now()))!;
    const waiting = await register({ bankCode: '088' });
    const elsewhere = await register({ bankCode: '003' });
    await untilPostponed(waiting, 'BANK_MAINTENANCE');
    const [postponed] = await postponements(waiting);
    expect(postponed!.until).toBe(new Date(endsAt).toISOString());
    expect(await end(elsewhere)).toEqual(ended('000_000'));
    expect(await end(waiting)).toEqual(ended('000_000'));
    const askedThere = asked.filter(({ bankCode }) => bankCode === '088');
    expect(askedThere.length).toBeGreaterThan(0);
    expect(askedThere.filter(({ at }) => at < endsAt)).toEqual([]);
  });

  it('delays the registration at the payment gateway when it begins after the call', async () => {
    faults = {
      fetchRecording: async (callId, signal) => {
        await closeFor('004', 3_000);
        return await simulated.fetchRecording(callId, signal);
      },
    };
    const regNo = await register({ bankCode: '004' });
    expect(await end(regNo)).toEqual(ended('000_000'));
    expect((await timelineOf(regNo)).map(({ step }) => step)).toEqual([
      'ACCEPTED',
      'ACCOUNT_HOLDER_CHECKED',
      'ARS_CALL_PLACED',
      'ARS_CALL_ENDED',
      'CONSENT_EVIDENCE_STORED',
      'POSTPONED',
      'REGISTRATION_ATTEMPTED',
      'ENDED',
    ]);
  });

  it('lets registrations continue once it is removed', async () => {
    const window = await closeFor('011', 3_600_000);
    const regNo = await register({ bankCode: '011' });
    await untilPostponed(regNo, 'BANK_MAINTENANCE');
    await stack.stores.bankWindows.remove(window);
    expect(await end(regNo)).toEqual(ended('000_000'));
  });

  it('fails the registration with 002_918 if it is longer than the policy allows', async () => {
    await closeFor('020', 3_600_000);
    expect(await end(await register({ bankCode: '020' }, impatientApi))).toEqual(ended('002_918'));
    faults = {
      fetchRecording: async (callId, signal) => {
        await closeFor('023', 3_600_000);
        return await simulated.fetchRecording(callId, signal);
      },
    };
    const regNo = await register({ bankCode: '023' }, impatientApi);
    expect(await end(regNo)).toEqual(ended('002_918'));
    expect(await ledgerOf(regNo)).toEqual([]);
  });

  it('refuses a real-name verification with 002_918', async () => {
    await closeFor('027', 3_600_000);
    const { bankName: _, ...holder } = registration(stack.projects[0], nextMember++, { bankCode: '027' });
    const { status, body } = await call(stack.url, stack.projects[0], '/user/valid', holder);
    expect([status, body.response.code]).toEqual([400, '002_918']);
    expect(asked).toEqual([]);
  });

  it('between two attempts postpones the second, which registers once', async () => {
    let attempts = 0;
    let window = 0;
    faults = {
      register: async (order, signal) => {
        if (++attempts > 1) return await simulated.register(order, signal);
        window = await closeFor('031', 3_600_000);
        throw new PaymentGatewayUnavailable('The request got lost.');
      },
    };
    const regNo = await register({ bankCode: '031' });
    await untilPostponed(regNo, 'BANK_MAINTENANCE');
    await stack.stores.bankWindows.remove(window);
    expect(await end(regNo)).toEqual(ended('000_000'));
    expect(await postponements(regNo)).toHaveLength(1);
    expect(await ledgerOf(regNo)).toHaveLength(1);
    expect(attempts).toBe(2);
  });
});

it('an attempt that is open is asked about in the bank’s window, even by another run', async () => {
  faults = {
    register: async () => ({ state: 'ACCEPTED' }),
    inquireRegistration: async () => ({ state: 'IN_PROGRESS' }),
  };
  const regNo = await register({ bankCode: '032' });
  const steps = async () => (await timelineOf(regNo)).map(({ step }) => step);
  await expect.poll(steps, { timeout: 20_000 }).toContain('REGISTRATION_ATTEMPTED');
  await closeFor('032', 3_600_000);
  const { userId } = (await stack.stores.registrations.findAny(regNo))!;
  await stack.temporal.workflow.getHandle(userId).terminate('the test');
  await operate(stack, 'resume', '--number', regNo);
  faults = { inquireRegistration: async () => ({ state: 'REGISTERED' }) };
  expect(await end(regNo)).toEqual(ended('000_000'));
  expect(await postponements(regNo)).toEqual([]);
});

it('an attempt that meets an outage of the bank is called that, and asked about', async () => {
  faults = {
    register: () => Promise.reject(new BankUnavailable('The bank is unavailable.')),
    inquireRegistration: async () => ({ state: 'REGISTERED' }),
  };
  const regNo = await register({ bankCode: '034' });
  expect(await end(regNo)).toEqual(ended('000_000'));
  expect(await timelineOf(regNo)).toContainEqual(
    expect.objectContaining({ step: 'REGISTRATION_ATTEMPTED', outcome: 'BANK_UNAVAILABLE' }),
  );
});

describe('a circuit breaker', () => {
  const setAvailable = (bankCode: string, available: boolean) =>
    fetch(`${stack.simulatorUrl}/simulator/banks/${bankCode}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ available }),
    });

  it('of a bank stops requests to that bank only, and lets registrations continue once it answers', async () => {
    await setAvailable('081', false);
    const waiting = await Promise.all(Array.from({ length: 5 }, () => register({ bankCode: '081' })));
    for (const regNo of waiting) await untilPostponed(regNo, 'BANK_UNAVAILABLE');
    const elsewhere = await register({ bankCode: '003' });
    expect(await end(elsewhere)).toEqual(ended('000_000'));
    const events = await eventsOf(waiting[0]!);
    // One trial at a time tests whether the bank answers again; the history does not grow.
    const trialsFrom = asked.length;
    const trials = () => asked.slice(trialsFrom).filter(({ bankCode }) => bankCode === '081');
    await expect.poll(() => trials().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
    expect(trials().filter((trial) => trial.inFlight > 1)).toEqual([]);
    expect(await eventsOf(waiting[0]!)).toBe(events);
    await setAvailable('081', true);
    for (const regNo of waiting) expect(await end(regNo)).toEqual(ended('000_000'));
  });

  it('of the payment gateway makes the calls wait, and each phone rings once', async () => {
    let isAway = false;
    const unlessAway =
      <Method extends 'placeArsCall' | 'inquireArsCall' | 'inquireRegistration'>(method: Method) =>
      async (order: never, signal: AbortSignal) => {
        if (isAway) throw new PaymentGatewayUnavailable('away');
        const answer = (await simulated[method](order, signal)) as never;
        // The first answer is lost, so the service does not know whether the phone rang.
        if (method === 'placeArsCall') {
          isAway = true;
          throw new PaymentGatewayUnavailable('cut');
        }
        return answer;
      };
    faults = {
      placeArsCall: unlessAway('placeArsCall'),
      inquireArsCall: unlessAway('inquireArsCall'),
      inquireRegistration: unlessAway('inquireRegistration'),
    };
    const numbers = await Promise.all(
      Array.from({ length: 8 }, () => register({ mobileNumber: '01012340006' })),
    );
    // One inquiry at a time tests whether the payment gateway answers again; the others wait for it.
    const postponed = async () => (await Promise.all(numbers.map(postponements))).flat();
    await expect.poll(async () => (await postponed()).length, { timeout: 30_000 }).toBeGreaterThan(3);
    const outcomes = new Set((await postponed()).map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['PAYMENT_GATEWAY_UNAVAILABLE']));
    faults = {};
    for (const regNo of numbers) {
      expect(await end(regNo)).toEqual(ended('000_000'));
      expect(await callsOf(regNo)).toHaveLength(1);
    }
  });
});
