import { expect } from 'vitest';
import type { Project } from '../fixtures/wire-client.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

/** The behaviour of account and phone, and the number of register calls that it must lead to. */
const behaviours = [
  { bankAccount: '11012345678', registerCalls: 1 },
  { bankAccount: '11012349004', registerCalls: 1 },
  { bankAccount: '11012349005', registerCalls: 2 },
  { bankAccount: '11012349006', registerCalls: 1 },
  { bankAccount: '11012345678', mobileNumber: '01012340006', registerCalls: 1 },
] as const;

/** An accepted registration and the number of register calls that it must lead to. */
export interface Accepted {
  readonly registrationNumber: string;
  readonly registerCalls: number;
}

/** Registers `count` members from `firstMember` on, with each behaviour in turn. */
export async function registerMany(
  url: string,
  project: Project,
  firstMember: number,
  count: number,
): Promise<Accepted[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { registerCalls, ...overrides } = behaviours[index % behaviours.length]!;
      const request = registration(project, firstMember + index, overrides);
      const { body } = await call(url, project, '/ars/register', request);
      expect(body.response.code).toBe('000_000');
      return { registrationNumber: String(body['bankAccRegNo']), registerCalls };
    }),
  );
}

/** Whether each of them has ended as registered, with one registration and one ARS call at the payment gateway. */
export async function expectRegisteredOnce(
  url: string,
  simulatorUrl: string,
  project: Project,
  accepted: readonly Accepted[],
): Promise<void> {
  for (const { registrationNumber } of accepted) {
    const { body } = await untilEnded(url, project, registrationNumber);
    expect(body).toMatchObject({ status: 'BANK_ACC_REGISTERED', response: { code: '000_000' } });
  }
  const ledger = await list(simulatorUrl, 'registrations');
  const calls = await list(simulatorUrl, 'calls');
  for (const { registrationNumber, registerCalls } of accepted) {
    expect(ledger.filter((entry) => entry['bankAccRegNo'] === registrationNumber)).toEqual([
      expect.objectContaining({ state: 'REGISTERED', registerCalls }),
    ]);
    expect(calls.filter((entry) => entry['reference'] === registrationNumber)).toHaveLength(1);
  }
}

async function list(simulatorUrl: string, name: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${simulatorUrl}/simulator/${name}`);
  return (await response.json()) as Record<string, unknown>[];
}
