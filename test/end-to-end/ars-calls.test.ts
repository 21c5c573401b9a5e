import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyNotification } from '../../client/index.ts';
import { timeOfKoreanDay } from '../../contract/korean-time.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { NothingSent } from '../../payment-gateway/payment-gateway.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import type { NotificationReceiver } from '../fixtures/notification-receiver.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, callEncrypted, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
let receiver: NotificationReceiver;
let nextMember = 0;
/** Requests for calls to this phone do not leave. */
const unreachable = '01055550000';
beforeAll(async () => {
  stack = await startStack({
    intercept: injectFaults(() => ({
      async placeArsCall(order, signal) {
        if (order.phoneNumber === unreachable) throw new NothingSent('The connection is refused.');
        return await stack.simulated.placeArsCall(order, signal);
      },
    })),
  });
  receiver = await startNotificationReceiver();
  await stack.stores.projects.setNotificationUrl(stack.projects[0].aspId, receiver.url);
});
afterAll(async () => {
  receiver.close();
  await stack.close();
});

const apiWith = (arsCall: Partial<RegistrationPolicy['arsCall']>) =>
  stack.startAnotherApi({ policy: { ...sandboxPolicy, arsCall: { ...sandboxPolicy.arsCall, ...arsCall } } });

async function register(overrides: object, url = stack.url, member = nextMember++): Promise<string> {
  const project = stack.projects[0];
  const { body } = await call(url, project, '/ars/register', registration(project, member, { ...overrides }));
  expect(body.response.code).toBe('000_000');
  return String(body['bankAccRegNo']);
}

const end = async (regNo: string) => (await untilEnded(stack.url, stack.projects[0], regNo)).body;

async function timelineOf(regNo: string) {
  const { body } = await call(stack.url, stack.projects[0], '/ars/register/timeline', { regNo });
  return body['steps'] as { step: string; outcome: string; at: string; until?: string }[];
}

const callsIn = async (regNo: string) =>
  (await timelineOf(regNo)).filter(({ step }) => step === 'ARS_CALL_ENDED').map(({ outcome }) => outcome);

async function callbackOf(regNo: string): Promise<Record<string, unknown>> {
  const find = async () => {
    for (const { headers, body } of receiver.received) {
      const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
      const callback = await verifyNotification({ ...stack.projects[0], headers: given, body });
      if (callback.bankAccRegNo === regNo) return callback;
    }
    return undefined;
  };
  return await vi.waitFor(
    async () => (await find()) ?? Promise.reject(new Error('There is no such callback yet.')),
    { timeout: 20_000, interval: 200 },
  );
}

describe.concurrent('every outcome of the call is distinct in timeline and notification', () => {
  it.for([
    ['0001', 'NO_ANSWER', 2],
    ['0091', 'BUSY', 2],
    ['0092', 'REJECTED', 1],
    ['0004', 'HUNG_UP', 1],
    ['0093', 'NO_INPUT', 1],
    ['0003', 'WRONG_CODE', 1],
    ['0094', 'NOT_IN_SERVICE', 1],
    ['0095', 'CARRIER_ERROR', 2],
    ['0009', 'NO_OUTCOME', 1],
  ] as const)('%s: %s after %d calls', async ([digits, outcome, calls]) => {
    const regNo = await register({ mobileNumber: `0101234${digits}` });
    expect(await end(regNo)).toMatchObject({
      response: { code: '002_014' },
      reason: outcome,
      retryable: outcome !== 'NOT_IN_SERVICE',
    });
    const placed = (await timelineOf(regNo)).filter(({ step }) => step === 'ARS_CALL_PLACED');
    expect(placed).toHaveLength(calls);
    expect((await callsIn(regNo)).at(-1)).toBe(outcome);
    expect(await callbackOf(regNo)).toMatchObject({ status: 'ARS_AUTH_FAILED', arsOutcome: outcome });
  });

  it('a registration that failed for another reason has no call outcome', async () => {
    const regNo = await register({ bankAccount: '11012349002' });
    expect(await end(regNo)).toMatchObject({
      response: { code: '002_015' },
      reason: 'LIFETIME_ACCOUNT',
      retryable: false,
    });
    expect(await callbackOf(regNo)).not.toHaveProperty('arsOutcome');
  });
});

describe('the hours in which members may be called', () => {
  const hour = 3_600_000;
  const opensIn = (milliseconds: number) => {
    const from = (timeOfKoreanDay(Date.now()) + milliseconds) % (24 * hour);
    return { from, until: (from + hour) % (24 * hour) };
  };
  const untilWaiting = (regNo: string) =>
    expect
      .poll(async () => (await timelineOf(regNo)).at(-1), { timeout: 20_000 })
      .toMatchObject({ step: 'POSTPONED', outcome: 'OUTSIDE_CALLING_HOURS' });

  it('are waited for, and the timeline shows when the registration continues', async () => {
    const callingHours = opensIn(4_000);
    const regNo = await register({}, await apiWith({ callingHours }));
    expect((await end(regNo))['status']).toBe('BANK_ACC_REGISTERED');
    const steps = await timelineOf(regNo);
    const postponed = steps.filter(({ step }) => step === 'POSTPONED');
    expect(postponed).toMatchObject([{ outcome: 'OUTSIDE_CALLING_HOURS' }]);
    const until = Date.parse(postponed[0]!.until!);
    expect(timeOfKoreanDay(until)).toBe(callingHours.from);
    const placed = steps.find(({ step }) => step === 'ARS_CALL_PLACED');
    expect(Date.parse(placed!.at)).toBeGreaterThanOrEqual(until);
  });

  it('do not prevent a cancellation meanwhile', async () => {
    const regNo = await register({}, await apiWith({ callingHours: opensIn(2 * hour) }));
    await untilWaiting(regNo);
    const answer = await call(stack.url, stack.projects[0], '/ars/register/cancel', {
      regNo,
      action: 'cancel',
    });
    expect(answer.body.response.code).toBe('000_000');
    expect((await end(regNo)).response.code).toBe('002_914');
  });

  it.for([
    ['apply to the second call too', '01012340001', ['NO_ANSWER']],
    ['apply to a call that is still being retried when they end', unreachable, []],
  ] as const)('%s', async ([, mobileNumber, outcomes]) => {
    const closesAt = timeOfKoreanDay(Date.now() + 6_000);
    const url = await apiWith({
      callingHours: { from: (closesAt + 23 * hour) % (24 * hour), until: closesAt },
      callAgainWait: { NO_ANSWER: 7_000 },
    });
    const regNo = await register({ mobileNumber }, url);
    await untilWaiting(regNo);
    expect(await callsIn(regNo)).toEqual(outcomes);
    await call(stack.url, stack.projects[0], '/ars/register/cancel', { regNo, action: 'cancel' });
  });
});

describe('the calls of a day', () => {
  const limits = { member: 100, phone: 100, account: 100, provider: 100, otherPhone: 100 };
  const many = (members: readonly number[], url: string, overrides: object) =>
    Promise.all(members.map(async (member) => await register(overrides, url, member)));

  it.for([
    ['PHONE_LIMIT', { phone: 3 }, { mobileNumber: '+82 10-9999-1111' }, { mobileNumber: '01099991111' }],
    ['ACCOUNT_LIMIT', { account: 3 }, { bankAccount: '999-888-777' }, { bankAccount: '999888777' }],
  ] as const)(
    'are limited by %s, even if they arrive concurrently',
    async ([outcome, limit, same, sameDigits]) => {
      const url = await apiWith({ dailyLimits: { ...limits, ...limit } });
      const members = Array.from({ length: 6 }, () => nextMember++);
      const numbers = [
        ...(await many(members.slice(0, 3), url, same)),
        ...(await many(members.slice(3), url, sameDigits)),
      ];
      const ends = await Promise.all(numbers.map(end));
      const limited = numbers.filter((_, index) => ends[index]!['status'] === 'ARS_AUTH_FAILED');
      expect(limited).toHaveLength(3);
      for (const regNo of limited) {
        expect(await callsIn(regNo)).toEqual([outcome]);
        expect(await callbackOf(regNo)).toMatchObject({ response: { code: '002_014' }, arsOutcome: outcome });
        const calls = await fetch(`${stack.simulatorUrl}/simulator/calls?reference=${regNo}`);
        expect(await calls.json()).toEqual([]);
      }
    },
  );

  it('are limited by member, second calls included', async () => {
    const url = await apiWith({ dailyLimits: { ...limits, member: 3 } });
    const member = nextMember++;
    const first = await register({ mobileNumber: '01012340001' }, url, member);
    await end(first);
    const second = await register({ mobileNumber: '01012340001' }, url, member);
    await end(second);
    expect(await callsIn(first)).toEqual(['NO_ANSWER', 'NO_ANSWER']);
    expect(await callsIn(second)).toEqual(['NO_ANSWER', 'MEMBER_LIMIT']);
  });

  it('of one service provider leave another’s member his calls, to his phone and for his account', async () => {
    const dailyLimits = { ...limits, phone: 4, account: 3, provider: 2, otherPhone: 1 };
    const url = await apiWith({ dailyLimits });
    const victim = stack.projects[1];
    const attack = {
      mobileNumber: victim.members[0]!.mobileNumber,
      bankCode: '088',
      bankAccount: '77788812345',
    };
    const numbers = await many([nextMember++, nextMember++, nextMember++], url, attack);
    await Promise.all(numbers.map(end));
    const outcomes = (await Promise.all(numbers.map(callsIn))).flat();
    expect(outcomes.toSorted()).toEqual(['PASSED', 'PHONE_LIMIT', 'PHONE_LIMIT']);
    // Equal digits at another bank, and this one to the end of its share.
    for (const bankCode of ['004', '088', '088'])
      await end(await register({ bankCode, bankAccount: attack.bankAccount }, url));

    const ofVictim = registration(victim, 0, { bankCode: '088', bankAccount: attack.bankAccount });
    const { body } = await callEncrypted(url, victim, '/ars/register', ofVictim);
    const ended = await untilEnded(stack.url, victim, String(body['bankAccRegNo']));
    expect(ended.body['status']).toBe('BANK_ACC_REGISTERED');
  });
});

describe('the accounts that are checked for a member in a day', () => {
  it('are limited by member, by themselves and as registrations', async () => {
    const accountHolderCheck = { ...sandboxPolicy.accountHolderCheck, maxPerDay: 3 };
    const url = await stack.startAnotherApi({ policy: { ...sandboxPolicy, accountHolderCheck } });
    const project = stack.projects[0];
    const member = nextMember++;
    const { userId, userName, birthDate } = project.members[member]!;
    const check = async (bankAccount: string, ofMember = { userId, userName, birthDate }) =>
      await call(url, project, '/user/valid', { ...ofMember, bankCode: '003', bankAccount });
    await end(await register({}, url, member));
    const answers = await Promise.all(
      ['11012340100', '11012340101', '11012340102'].map((each) => check(each)),
    );
    const codes = answers.map(({ body }) => body.response.code);
    expect(codes.toSorted()).toEqual(['000_000', '000_000', '000_914']);

    const refused = await call(url, project, '/ars/register', registration(project, member));
    expect(refused).toMatchObject({ status: 429, body: { response: { code: '000_914' } } });
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeLessThanOrEqual(24 * 3_600);
    expect(timeOfKoreanDay(Date.now() + seconds * 1_000)).toBeLessThan(60_000);
    const other = project.members[nextMember++]!;
    expect((await check('11012340100', other)).body.response.code).toBe('000_000');
  });
});
