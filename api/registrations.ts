import { randomBytes } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import { banks } from '../contract/bank-codes.ts';
import type { registerAccount } from '../contract/bank-account-operations.ts';
import { maskAccountNumber } from '../contract/masking.ts';
import { memberWorkflowId, taskQueue, workflowTypes } from '../contract/registration.ts';
import type { RegistrationInput, RegistrationStatus } from '../contract/registration.ts';
import { registrationStateQuery } from '../contract/registration-messages.ts';
import type { ResultCode } from '../contract/result-codes.ts';
import { searchAttributes } from '../contract/search-attributes.ts';
import { createAuthNumber } from '../platform/database/ars-codes.ts';
import type { Member } from '../platform/database/members.ts';
import type { Stores } from '../platform/database/stores.ts';
import type { RegistrationRecord } from '../platform/database/registrations.ts';
import type { ApiParts } from './context.ts';
import type { LatestRegistrations, StartedRegistration, StartOutcome } from './latest-registrations.ts';
import { Refusal } from './refusal.ts';

/** How long Temporal may take to accept a start, in ms. */
const startDeadline = 5_000;
/** How long a run may take to close once its registration has ended, in ms. */
const closingDeadline = 3_000;
/** How long a status query may take, in ms: without a worker it would wait for one. */
const queryDeadline = 400;
/** How long a description of a run may take, in ms. */
const describeDeadline = 400;

interface RegistrationParts extends Pick<ApiParts, 'stores' | 'temporal' | 'policy'> {
  readonly latestRegistrations: LatestRegistrations;
}

type RegistrationRequest = z.output<typeof registerAccount.request>;

/** How a registration stands, for the wire. */
export interface Standing {
  readonly status: RegistrationStatus;
  readonly resultCode: ResultCode | null;
}

/**
 * Starts a registration, or refuses it with `002_013` while one of the member is running or was when it arrived.
 * @param arrival when the request came, by `performance.now()`.
 * @returns the registration number, and the code where it was made for this registration.
 */
export async function startRegistration(
  parts: RegistrationParts,
  aspId: string,
  request: RegistrationRequest,
  arrival: number,
): Promise<StartedRegistration> {
  const key = `${aspId}/${request.userId}`;
  const outcome = await parts.latestRegistrations.startUnlessDuplicate(key, arrival, async () => {
    const member = await requireMember(parts.stores, aspId, request.userId);
    const first = await startRun(parts, member, request);
    if (first.isNew || !first.isEnding) return first;
    await untilClosed(parts.temporal, member.userId);
    return await startRun(parts, member, request);
  });
  if (!outcome.isNew) throw new Refusal('002_013', { payload: { ...outcome.registration } });
  return outcome.registration;
}

/** The service provider's member. Refuses with `001_006` when there is none of this ID. */
export async function requireMember(stores: Stores, aspId: string, userId: string): Promise<Member> {
  const member = await stores.members.find(aspId, userId);
  if (!member) throw new Refusal('001_006');
  return member;
}

/**
 * Writes the registration down and starts its run. The row comes first, so every number handed out can be asked for;
 * the run's ID is the member ID, so Temporal refuses a second one, and the refused number is taken back.
 */
async function startRun(
  { stores, temporal, policy }: RegistrationParts,
  member: Member,
  request: RegistrationRequest,
): Promise<StartOutcome> {
  const issued = await stores.arsCodes.findLive(member);
  const authNumber = issued?.authNumber ?? createAuthNumber();
  const registrationNumber = createRegistrationNumber(new Date());
  await stores.registrations.add(member, {
    registrationNumber,
    bankCode: request.bankCode,
    arsCodeId: issued?.arsCodeId ?? null,
    details: {
      accountNumber: request.bankAccount,
      bankName: request.bankName,
      holderName: request.userName,
      birthDate: request.birthDate,
      mobileNumber: request.mobileNumber ?? member.facts.mobileNumber,
      authNumber,
    },
  });
  const input: RegistrationInput = { registrationNumber, bankCode: request.bankCode, policy };
  try {
    await temporal.withDeadline(Date.now() + startDeadline, () =>
      temporal.workflow.start(workflowTypes.register, {
        workflowId: memberWorkflowId(member.userId),
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        taskQueue,
        args: [input],
        staticSummary: `Register ${banks[request.bankCode]} ${maskAccountNumber(request.bankAccount)}`,
        typedSearchAttributes: [
          { key: searchAttributes.aspId, value: member.aspId },
          { key: searchAttributes.registrationNumber, value: registrationNumber },
          { key: searchAttributes.status, value: 'ARS_AUTH_IN_PROGRESS' },
          { key: searchAttributes.step, value: 'ACCOUNT_HOLDER_CHECK' },
          { key: searchAttributes.bankCode, value: request.bankCode },
        ],
      }),
    );
  } catch (error) {
    // Any other error leaves open whether the run was started, and so leaves the row.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    await stores.registrations.remove(registrationNumber);
    return { isNew: false, ...(await runningRegistration({ stores, temporal }, member.userId)) };
  }
  const registration = { bankAccRegNo: registrationNumber, ...(issued ? {} : { authNumber }) };
  return { isNew: true, registration };
}

/** The member's latest registration, as the caller needs it that may have lost the answer to it. */
async function runningRegistration(
  { stores, temporal }: Pick<ApiParts, 'stores' | 'temporal'>,
  userId: string,
): Promise<{ registration: Partial<StartedRegistration>; isEnding: boolean }> {
  const attributes = await describe(temporal, userId, startDeadline);
  const bankAccRegNo = attributes.get(searchAttributes.registrationNumber);
  if (bankAccRegNo === undefined) return { registration: {}, isEnding: false };
  const { arsCodeId, details, endedAt } = await stores.registrations.open(bankAccRegNo);
  const code = arsCodeId === null ? { authNumber: details.authNumber } : {};
  return { registration: { bankAccRegNo, ...code }, isEnding: endedAt !== null };
}

/** Waits for a run whose registration has ended already, and of which only the closing is left. */
async function untilClosed(temporal: Client, userId: string): Promise<void> {
  const handle = temporal.workflow.getHandle(memberWorkflowId(userId));
  await temporal
    .withDeadline(Date.now() + closingDeadline, () => handle.result())
    // However it ended or however long it takes, the next start tells.
    .catch(() => undefined);
}

/** Tells how a registration stands: by its row once it has ended, else by its run, else by what Temporal lists. */
export async function readStanding(
  { stores, temporal }: Pick<ApiParts, 'stores' | 'temporal'>,
  record: RegistrationRecord,
): Promise<Standing> {
  if (record.endedAt) return record;
  const running =
    (await queryRun(temporal, record).catch(() => undefined)) ??
    (await describeRun(temporal, record).catch(() => undefined));
  if (running) return running;
  // The run may have ended, and a newer one of the member begun, since the row was read.
  return (await stores.registrations.find(record.aspId, record.registrationNumber)) ?? record;
}

async function queryRun(temporal: Client, record: RegistrationRecord): Promise<Standing | undefined> {
  const handle = temporal.workflow.getHandle(memberWorkflowId(record.userId));
  const state = await temporal.withDeadline(Date.now() + queryDeadline, () =>
    handle.query(registrationStateQuery),
  );
  return state.registrationNumber === record.registrationNumber ? state : undefined;
}

async function describeRun(temporal: Client, record: RegistrationRecord): Promise<Standing | undefined> {
  const attributes = await describe(temporal, record.userId, describeDeadline);
  if (attributes.get(searchAttributes.registrationNumber) !== record.registrationNumber) return undefined;
  return {
    status: (attributes.get(searchAttributes.status) as RegistrationStatus | undefined) ?? record.status,
    resultCode: (attributes.get(searchAttributes.resultCode) as ResultCode | undefined) ?? null,
  };
}

async function describe(temporal: Client, userId: string, deadline: number) {
  const handle = temporal.workflow.getHandle(memberWorkflowId(userId));
  const description = await temporal.withDeadline(Date.now() + deadline, () => handle.describe());
  return description.typedSearchAttributes;
}

const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A number of 22 characters: the time of its making, `yyMMddHHmmss` in UTC, and 50 random bits. */
export function createRegistrationNumber(now: Date): string {
  const time = now.toISOString().replace(/\D/g, '').slice(2, 14);
  return time + Array.from(randomBytes(10), (byte) => alphabet[byte % alphabet.length]).join('');
}
