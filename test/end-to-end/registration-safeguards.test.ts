import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { and, eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { consentEvidence, effects } from '../../database/schema.ts';
import { recordingOf } from '../../development/simulator/recording.ts';
import { createHttpPaymentGateway } from '../../payment-gateway/http/http-payment-gateway.ts';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import type { PaymentGateway, RegistrationRequest } from '../../payment-gateway/payment-gateway.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

/** Inquires soon and often. The settle time is far longer than the test. */
const policy = {
  ...sandboxPolicy,
  effects: { ...sandboxPolicy.effects, settleTime: 10 * 60_000 },
  paymentGatewayRegistration: {
    firstInquiryAfter: 100,
    maxInquiryInterval: 3_000,
    reviewAfter: 20 * 60_000,
  },
};

let stack: Stack;
/** The methods of the payment gateway that a test replaces. */
let faults: PaymentGatewayFaults = {};
/** The registration requests that have reached the payment gateway. */
let requests: RegistrationRequest[] = [];
let nextMember = 0;

/** Every answer of this payment gateway is a recording of this size, in bytes. */
let recordingSize = 0;
const recordings = createServer((_request, response) => {
  response.end(
    Buffer.concat([recordingOf('PADDED'), Buffer.alloc(recordingSize)]).subarray(0, recordingSize),
  );
});

beforeAll(async () => {
  await new Promise<void>((resolve) => recordings.listen(0, '127.0.0.1', resolve));
  stack = await startStack({ policy, intercept: injectFaults(() => faults) });
});
afterEach(() => {
  faults = {};
  requests = [];
});
afterAll(async () => {
  await stack.close();
  recordings.close();
});

async function register(overrides: Readonly<Record<string, unknown>> = {}, url = stack.url): Promise<string> {
  const [project] = stack.projects;
  const request = registration(project, nextMember++, overrides);
  const { body } = await call(url, project, '/ars/register', request);
  expect(body.response.code).toBe('000_000');
  return String(body['bankAccRegNo']);
}

async function codeAtEnd(registrationNumber: string): Promise<string> {
  const { body } = await untilEnded(stack.url, stack.projects[0], registrationNumber);
  return body.response.code;
}

const accept: PaymentGateway['register'] = async (request) => {
  requests.push(request);
  return { state: 'REGISTERED' };
};

describe('a recording', () => {
  /** Fetches recordings over HTTP, so that the limit of the adapter counts too. */
  function serveRecordings(size: number): void {
    recordingSize = size;
    const { port } = recordings.address() as AddressInfo;
    const baseUrl = `http://127.0.0.1:${port}`;
    const overHttp = createHttpPaymentGateway({ baseUrl, callbackUrl: baseUrl, sharedSecret: 'x' });
    faults = {
      fetchRecording: (callId, signal) => overHttp.fetchRecording(callId, signal),
      register: accept,
    };
  }

  it('of 307,200 bytes is accepted', async () => {
    serveRecordings(307_200);
    const number = await register();
    expect(await codeAtEnd(number)).toBe('000_000');
    expect((await stack.stores.consentEvidence.find(number))?.bytes).toBe(307_200);
  });

  it.each([307_201, 400_000])('of %i bytes ends the registration with 002_910', async (size) => {
    serveRecordings(size);
    const number = await register();
    expect(await codeAtEnd(number)).toBe('002_910');
    expect(await stack.stores.consentEvidence.find(number)).toBeUndefined();
    expect(requests).toEqual([]);
  });
});

it('the evidence is of the call that was passed, though somebody exchanges its ID in the ledger of effects', async () => {
  const first = await register();
  expect(await codeAtEnd(first)).toBe('000_000');
  const { callId: another } = (await stack.stores.consentEvidence.find(first))!;
  let exchanged: string | undefined;
  faults = {
    fetchRecording: async (callId, signal) => {
      if (exchanged !== undefined) return await stack.simulated.fetchRecording(callId, signal);
      exchanged = callId;
      const ofCall = and(eq(effects.callId, callId), eq(effects.kind, 'ARS_CALL'));
      await stack.database.queries.update(effects).set({ callId: another }).where(ofCall);
      return undefined;
    },
  };
  const number = await register();
  expect(await codeAtEnd(number)).toBe('000_000');
  expect(await stack.stores.consentEvidence.find(number)).toMatchObject({ callId: exchanged });
  const { body } = await call(stack.url, stack.projects[0], '/ars/register/timeline', { regNo: number });
  expect(JSON.stringify(body)).not.toContain(exchanged);
});

describe('a registration whose evidence is missing', () => {
  it('is refused with 002_910 without a request to the payment gateway', async () => {
    const [begins, ends] = [new Date(Date.now() - 60_000), new Date(Date.now() + 3_600_000)];
    let windowId = 0;
    faults = {
      // The bank closes once the recording is fetched, so that the registering activity runs twice.
      fetchRecording: async (callId, signal) => {
        windowId = await stack.stores.bankWindows.add('088', { once: { startsAt: begins, endsAt: ends } });
        return await stack.simulated.fetchRecording(callId, signal);
      },
      register: accept,
    };
    const number = await register({ bankCode: '088' });
    const postponed = async () => {
      const { body } = await call(stack.url, stack.projects[0], '/ars/register/timeline', { regNo: number });
      return (body['steps'] as { step: string }[]).map(({ step }) => step);
    };
    await expect.poll(postponed, { timeout: 30_000 }).toContain('POSTPONED');
    const evidenceOfIt = eq(consentEvidence.registrationNumber, number);
    await stack.database.queries.delete(consentEvidence).where(evidenceOfIt);
    await stack.stores.bankWindows.remove(windowId);

    expect(await codeAtEnd(number)).toBe('002_910');
    expect(requests).toEqual([]);
  });
});

describe('an attempt without an answer', () => {
  it('is not repeated before the settle time has passed, even if every inquiry answers NOT_FOUND', async () => {
    let inquiries = 0;
    faults = {
      register: async (request) => {
        requests.push(request);
        throw new PaymentGatewayUnavailable('The answer got lost.');
      },
      // The payment gateway is slow: it carries out the request after it has answered three inquiries.
      inquireRegistration: async (reference, signal) => {
        const answer = await stack.simulated.inquireRegistration(reference, signal);
        if (++inquiries === 3) await stack.simulated.register(requests[0]!, signal);
        return answer;
      },
    };
    const number = await register();
    expect(await codeAtEnd(number)).toBe('000_000');
    expect(inquiries).toBeGreaterThan(3);
    expect(requests).toHaveLength(1);
  });
});

describe('an attempt that was accepted', () => {
  it('is never repeated, even if inquiries answer NOT_FOUND long after the settle time', async () => {
    const url = await stack.startAnotherApi({
      policy: {
        ...policy,
        effects: { ...policy.effects, settleTime: 100 },
        paymentGatewayRegistration: { ...policy.paymentGatewayRegistration, maxInquiryInterval: 300 },
      },
    });
    let inquiries = 0;
    faults = {
      register: async (request) => {
        requests.push(request);
        return { state: 'ACCEPTED' };
      },
      inquireRegistration: async () => ({ state: ++inquiries < 6 ? 'NOT_FOUND' : 'REGISTERED' }),
    };
    const number = await register({}, url);
    expect(await codeAtEnd(number)).toBe('000_000');
    // An inquiry that was slow is put again.
    expect(inquiries).toBeGreaterThanOrEqual(6);
    expect(requests).toHaveLength(1);
  });
});
