import { randomBytes } from 'node:crypto';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import type { registerAccount } from '../../wire/bank-account-operations.ts';
import { banks } from '../../wire/bank-codes.ts';
import { maskAccountNumber } from '../../wire/masking.ts';
import { memberWorkflowId, workflowTypes } from '../../contract/registration.ts';
import type { RegistrationInput, RegistrationResult } from '../../contract/registration.ts';
import type { RegistrationStatus } from '../../wire/registration-status.ts';
import {
  cancelRegistrationUpdate,
  registrationStateQuery,
  registrationTimelineQuery,
} from '../../contract/registration-messages.ts';
import type { ResultCode } from '../../wire/result-codes.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import type { TimelineEntry } from '../../wire/timeline.ts';
import { createAuthNumber } from '../../database/ars-codes.ts';
import type { Member } from '../../database/members.ts';
import { sendUpdate } from '../../runtime/temporal.ts';
import { tranTimeOf } from '../../encryption/tran-token.ts';
import type { RegistrationRecord } from '../../database/registrations.ts';
import type { ApiParts } from '../context.ts';
import type { LatestRegistrations, StartOutcome, StartedRegistration } from './latest-registrations.ts';
import { describeMemberRun, requireMember, startMemberRun } from './member-runs.ts';
import { Refusal } from '../http/refusal.ts';
import { codes } from '../../wire/result-codes.ts';

/** How long a cancellation or a timeline may take, in ms. */
const operationDeadline = 8_000;
/** How long a status query may take, in ms: without a worker it would wait for one. */
const queryDeadline = 400;
/** How long a description of a run may take, in ms. */
const describeDeadline = 2_000;

interface RegistrationParts extends Pick<ApiParts, 'stores' | 'temporal' | 'policy' | 'metrics'> {
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
  const outcome = await parts.latestRegistrations.startUnlessDuplicate(key, arrival, async () =>
    startRun(parts, await requireMember(parts.stores, aspId, request.userId), request),
  );
  if (!outcome.isNew)
    throw new Refusal(codes.OPERATION_IN_PROGRESS, { payload: { ...outcome.registration } });
  return outcome.registration;
}

/**
 * Writes the registration down and starts its run. The row comes first, so every number handed out can be asked for;
 * the run's ID is the member ID, so Temporal refuses a second one, and the refused number is taken back. Refuses with
 * `001_006` when the member is erased meanwhile.
 */
async function startRun(
  { stores, temporal, policy, metrics }: RegistrationParts,
  member: Member,
  request: RegistrationRequest,
): Promise<StartOutcome> {
  const issued = await stores.arsCodes.findLive(member);
  const authNumber = issued?.authNumber ?? createAuthNumber();
  const registrationNumber = createRegistrationNumber(new Date());
  const isWrittenDown = await stores.registrations.add(member, {
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
  if (!isWrittenDown) throw new Refusal(codes.MEMBER_NOT_FOUND);
  const input: RegistrationInput = { registrationNumber, bankCode: request.bankCode, policy };
  const { refusedBy } = await startMemberRun({ stores, temporal }, member, workflowTypes.register, {
    args: [input],
    staticSummary: `Register ${banks[request.bankCode]} ${maskAccountNumber(request.bankAccount)}`,
    typedSearchAttributes: [
      { key: searchAttributes.registrationNumber, value: registrationNumber },
      { key: searchAttributes.status, value: 'ARS_AUTH_IN_PROGRESS' },
      { key: searchAttributes.step, value: 'ACCOUNT_HOLDER_CHECK' },
      { key: searchAttributes.bankCode, value: request.bankCode },
    ],
  });
  if (refusedBy) {
    await stores.registrations.remove(registrationNumber);
    return { isNew: false, registration: refusedBy };
  }
  metrics.registrationsStarted.inc();
  const registration = { bankAccRegNo: registrationNumber, ...(issued ? {} : { authNumber }) };
  return { isNew: true, registration };
}

/**
 * Tells how a registration stands: by its row once it has ended, else by its run, else by what Temporal lists. What is
 * told is written down first, so no later answer goes back behind it, whatever becomes of the run. Throws when Temporal
 * does not answer: the row may lag behind the run.
 */
export async function readStatus(
  { stores, temporal }: Pick<ApiParts, 'stores' | 'temporal'>,
  record: RegistrationRecord,
): Promise<Standing> {
  if (record.endedAt) return record;
  const running =
    (await queryRun(temporal, record).catch(() => undefined)) ?? (await describeRun(temporal, record));
  if (running?.status === 'ARS_AUTH_DONE' && record.status !== 'ARS_AUTH_DONE') {
    await stores.registrations.markArsDone(record.registrationNumber);
  }
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
  const run = await describeMemberRun(temporal, record.userId, describeDeadline).catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  });
  if (run?.registrationNumber !== record.registrationNumber) return undefined;
  return { status: run.status ?? record.status, resultCode: run.resultCode ?? null };
}

/**
 * Cancels a registration and waits until that is done. Refuses with `002_915` when it is too late; one that was
 * cancelled before is as good as cancelled now.
 */
export async function cancelRegistration(
  { stores, temporal }: Pick<ApiParts, 'stores' | 'temporal'>,
  record: RegistrationRecord,
): Promise<void> {
  if (!record.endedAt) {
    const run = await describeMemberRun(temporal, record.userId, operationDeadline);
    if (
      run.registrationNumber === record.registrationNumber &&
      (await tryCancel(temporal, record.userId, run.runId))
    ) {
      return;
    }
  }
  const ended = await stores.registrations.find(record.aspId, record.registrationNumber);
  if (ended?.resultCode !== codes.CANCELLED) throw new Refusal(codes.TOO_LATE_TO_CANCEL);
}

/** Has a run cancel and end; false when it is too late for that, or the run has closed. */
async function tryCancel(temporal: Client, userId: string, runId: string): Promise<boolean> {
  const run = temporal.workflow.getHandle(memberWorkflowId(userId), runId);
  const deadline = Date.now() + operationDeadline;
  try {
    const { resultCode } = await temporal.withDeadline(deadline, async () => {
      await sendUpdate(() => run.executeUpdate(cancelRegistrationUpdate), deadline);
      return (await run.result()) as RegistrationResult;
    });
    // It may have been failing for another reason when the cancellation came.
    return resultCode === codes.CANCELLED;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** What has happened to a registration: by its row once it has ended, else by its run. */
export async function readTimeline(
  { stores, temporal }: Pick<ApiParts, 'stores' | 'temporal'>,
  record: RegistrationRecord,
): Promise<readonly TimelineEntry[]> {
  if (record.timeline) return record.timeline;
  const run = await describeMemberRun(temporal, record.userId, operationDeadline);
  if (run.registrationNumber === record.registrationNumber) {
    const handle = temporal.workflow.getHandle(memberWorkflowId(record.userId), run.runId);
    return await temporal.withDeadline(Date.now() + operationDeadline, () =>
      handle.query(registrationTimelineQuery),
    );
  }
  return (await stores.registrations.find(record.aspId, record.registrationNumber))?.timeline ?? [];
}

const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A number of 22 characters: the time of its making, `yyMMddHHmmss` in UTC, and 50 random bits. */
export function createRegistrationNumber(now: Date): string {
  const time = tranTimeOf(now).slice(2);
  return time + Array.from(randomBytes(10), (byte) => alphabet[byte % alphabet.length]).join('');
}
