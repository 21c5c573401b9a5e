import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { z } from 'zod';
import { memberWorkflowId } from '../../contract/registration.ts';
import { createAuthNumber } from '../../database/ars-codes.ts';
import type { Member } from '../../database/members.ts';
import type { Project } from '../../database/projects.ts';
import type { RegistrationRecord } from '../../database/registrations.ts';
import { startRegistrationRun } from '../../runs/registration-run.ts';
import { addToCorrelation, currentCorrelation } from '../../runtime/correlation.ts';
import type { registerAccount } from '../../wire/bank-account-operations.ts';
import { codes } from '../../wire/result-codes.ts';
import { Refusal } from '../http/refusal.ts';
import type { RepeatableRequest } from '../http/repeatable-request.ts';
import type { ApiParts } from '../parts.ts';
import type { LatestRegistrations, StartOutcome, StartedRegistration } from './latest-registrations.ts';
import {
  describeRegistration,
  requireHolderIsMember,
  requireMember,
  startMemberRun,
  tooManyChecks,
} from './member-runs.ts';
import type { MemberRun, RunningOperation } from './member-runs.ts';
import { createRegistrationNumber } from './registration-number.ts';

/** How long a copy of a request waits for the registration to start, and between two looks, in ms. */
const startTimeout = 5_000;
const startPollInterval = 50;

type Parts = Pick<ApiParts, 'stores' | 'temporal' | 'policy' | 'metrics'> & {
  readonly latestRegistrations: LatestRegistrations;
};
type RegistrationRequest = z.output<typeof registerAccount.request>;

/**
 * Starts a registration; a repeated request gets the first answer. Refuses with `001_006` when the service provider has
 * no such member, with `002_911` when the holder is not the member though the project demands it, and with `002_013` when
 * another operation of the member is running, or was running when the request arrived.
 * @param how `arrival`: when the request arrived, as a `performance.now()` time
 * @returns the registration number, and the ARS code if it was issued for this registration
 */
export async function startRegistration(
  parts: Parts,
  project: Project,
  request: RegistrationRequest,
  { arrival, repeatable }: { readonly arrival: number; readonly repeatable: RepeatableRequest },
): Promise<StartedRegistration> {
  const { aspId } = project;
  const first = await bindNumber(parts, repeatable);
  addToCorrelation({ registrationNumber: first.registrationNumber });
  if (first.hasBegun) return await repeatAnswer(parts, aspId, request.userId, first.registrationNumber);
  const { registrationNumber } = first;
  const memberKey = `${aspId}/${request.userId}`;
  const outcome = await parts.latestRegistrations.startUnlessDuplicate(memberKey, arrival, async () => {
    const member = await requireMember(parts.stores, aspId, request.userId);
    requireHolderIsMember(project, member, request);
    return await startUnlessRunning(parts, member, request, registrationNumber);
  });
  if (outcome.isNew) return outcome.registration;
  if (outcome.registration.bankAccRegNo === registrationNumber)
    return await repeatAnswer(parts, aspId, request.userId, registrationNumber);
  throw new Refusal(codes.OPERATION_IN_PROGRESS, { payload: { ...outcome.registration } });
}

/**
 * Binds the request to a new number, unless a copy of it is bound to one already.
 * @returns the number, and whether its registration has begun: then the request is answered
 */
async function bindNumber(parts: Parts, repeatable: RepeatableRequest) {
  const candidate = createRegistrationNumber(new Date());
  const bound = await repeatable.bind(candidate);
  const start = bound === candidate ? 'NONE' : await waitUntilStarted(parts, bound);
  if (start !== 'WITHDRAWN') return { registrationNumber: bound, hasBegun: start === 'BEGUN' };
  return { registrationNumber: await repeatable.bind(candidate, bound), hasBegun: false };
}

/**
 * Waits until the start of a registration has succeeded or failed. Refuses with `000_991` when that takes too long.
 * @returns NONE when there is no such registration
 */
async function waitUntilStarted({ stores }: Parts, registrationNumber: string) {
  for (const deadline = Date.now() + startTimeout; ; await delay(startPollInterval)) {
    const start = await stores.registrations.findStart(registrationNumber);
    if (start !== 'STARTING') return start;
    if (Date.now() > deadline) throw new Refusal(codes.SERVICE_UNAVAILABLE);
  }
}

/** The first answer to a request whose registration has begun. */
async function repeatAnswer({ stores }: Parts, aspId: string, userId: string, registrationNumber: string) {
  const member = await requireMember(stores, aspId, userId);
  return await describeRegistration(stores, member, registrationNumber);
}

/**
 * Persists the registration, then starts its run. In this order, because every number that a client gets has to be
 * known to the status inquiry. A number whose run does not begin is withdrawn, so nobody gets it.
 */
async function startUnlessRunning(
  parts: Parts,
  member: Member,
  request: RegistrationRequest,
  registrationNumber: string,
): Promise<StartOutcome> {
  const { stores, metrics } = parts;
  const issued = await stores.arsCodes.findLive(member);
  const authNumber = issued?.authNumber ?? createAuthNumber();
  const row = {
    registrationNumber,
    bankCode: request.bankCode,
    arsCodeId: issued?.arsCodeId ?? null,
    correlationId: currentCorrelation().correlationId ?? null,
    policyId: await stores.policies.keep(parts.policy),
    details: detailsOf(request, member, authNumber),
  };
  const added = await stores.registrations.add(member, row, parts.policy.accountHolderCheck.maxPerDay);
  if (added === 'CHECK_LIMIT') throw tooManyChecks();
  // The member has been erased in the meantime.
  if (added === 'MEMBER_ERASED') throw new Refusal(codes.MEMBER_NOT_FOUND);
  // Another process serves a copy of the same request, and answers both.
  if (added === 'ADDED_BEFORE') {
    const hasBegun = (await waitUntilStarted(parts, registrationNumber)) === 'BEGUN';
    const running = hasBegun ? { bankAccRegNo: registrationNumber } : await describeOpen(stores, member);
    return { isNew: false, registration: running };
  }
  const runningOperation = await beginOrWithdraw(parts, member, added);
  if (runningOperation) return { isNew: false, registration: runningOperation };
  metrics.registrationsStarted.inc();
  const registration = { bankAccRegNo: registrationNumber, ...(issued ? {} : { authNumber }) };
  return { isNew: true, registration };
}

/**
 * Starts the run of a registration. When Temporal refuses it or its answer is unknown, the registration is withdrawn,
 * unless its run has begun all the same.
 * @returns the operation that is running instead, if there is one
 */
async function beginOrWithdraw(
  parts: Parts,
  member: Member,
  added: RegistrationRecord,
): Promise<RunningOperation | undefined> {
  const { stores, temporal } = parts;
  const { registrationNumber, bankCode, correlationId } = added;
  const start = () =>
    startRegistrationRun(temporal, {
      registrationNumber,
      userId: member.userId,
      aspId: member.aspId,
      bankCode,
      correlationId,
      status: 'ARS_AUTH_IN_PROGRESS',
      step: 'ACCOUNT_HOLDER_CHECK',
    });
  let started: MemberRun;
  try {
    started = await startMemberRun(
      parts,
      member,
      start,
      (running) => running.registrationNumber === registrationNumber,
    );
  } catch (error) {
    if (await stores.registrations.withdraw(registrationNumber)) throw error;
    return undefined;
  }
  const { runId, runningOperation } = started;
  if (runningOperation) {
    const isWithdrawn = await stores.registrations.withdraw(registrationNumber);
    return isWithdrawn ? runningOperation : undefined;
  }
  let begun: Awaited<ReturnType<typeof stores.registrations.begin>>;
  try {
    begun = await stores.registrations.begin(registrationNumber, added);
  } catch (error) {
    // The run may have begun it already, or the answer got lost: a refusal means that nothing happens.
    if (await stores.registrations.withdraw(registrationNumber)) throw error;
    return undefined;
  }
  if (begun === 'BEGUN') return undefined;
  // The run of one that is withdrawn notices that by itself.
  if (begun === 'MEMBER_BUSY') await giveWay(parts, member.userId, registrationNumber, runId);
  // The sweep gives that one a run.
  const older = await describeOpen(stores, member);
  await stores.registrations.makeOverdue(older.bankAccRegNo);
  return older;
}

/** Takes a registration back whose run has started beside an older registration: Temporal has forgotten that one's run. */
async function giveWay(
  { stores, temporal }: Parts,
  userId: string,
  registrationNumber: string,
  runId: string | undefined,
): Promise<void> {
  const run = temporal.workflow.getHandle(memberWorkflowId(userId), runId);
  await run.terminate('An older registration of the member is open').catch((error: unknown) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  });
  await stores.registrations.withdraw(registrationNumber);
}

/** The member's open registration. Refuses with `000_991` when there is none. */
async function describeOpen(stores: Parts['stores'], member: Member): Promise<StartedRegistration> {
  const open = await stores.registrations.findOpen(member.userId);
  if (!open) throw new Refusal(codes.SERVICE_UNAVAILABLE);
  return await describeRegistration(stores, member, open.registrationNumber);
}

function detailsOf(request: RegistrationRequest, member: Member, authNumber: string) {
  return {
    accountNumber: request.bankAccount,
    bankName: request.bankName,
    holderName: request.userName,
    birthDate: request.birthDate,
    mobileNumber: request.mobileNumber ?? member.facts.mobileNumber,
    authNumber,
  };
}
