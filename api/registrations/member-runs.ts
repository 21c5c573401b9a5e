import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { nextKoreanTime } from '../../contract/korean-time.ts';
import { memberWorkflowId, taskQueue, workflowTypes } from '../../contract/registration.ts';
import type { MemberInput, OperationResult } from '../../contract/registration.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import { requireReadable } from '../../contract/unreadable-payload.ts';
import type { Owner } from '../../database/member-cipher.ts';
import { isMember } from '../../database/members.ts';
import type { Member } from '../../database/members.ts';
import type { Project } from '../../database/projects.ts';
import type { Stores } from '../../database/stores.ts';
import type { ApiParts } from '../parts.ts';
import type { StartedRegistration } from './latest-registrations.ts';
import { Refusal } from '../http/refusal.ts';
import type { RepeatableRequest } from '../http/repeatable-request.ts';
import { currentCorrelation } from '../../runtime/correlation.ts';
import { codes } from '../../wire/result-codes.ts';

/** How long Temporal may take to accept a start, or to describe a run before it, in ms. */
const startTimeout = 5_000;
/** How long a run may take to close after its registration has ended, in ms. */
const closingTimeout = 3_000;
/** How long a client waits for an operation that is documented as synchronous, in ms. */
const resultTimeout = 8_000;

type Parts = Pick<ApiParts, 'stores' | 'temporal'>;

/** What a client needs to continue with an operation that is running. */
export type RunningOperation = Partial<StartedRegistration>;

/** A run that was started, or the operation that is running instead. */
export interface MemberRun {
  /** Undefined if a run of the same registration was there already. */
  readonly runId?: string;
  readonly runningOperation?: RunningOperation;
}

interface DescribedRun {
  /** Undefined when it is no registration. */
  readonly registrationNumber: string | undefined;
  /** Of the request that started it, if that has any. */
  readonly digests: readonly string[];
}

/** Finds a member of the service provider. Refuses with `001_006` when there is none with this ID. */
export async function requireMember(stores: Stores, aspId: string, userId: string): Promise<Member> {
  const member = await stores.members.find(aspId, userId);
  if (!member) throw new Refusal(codes.MEMBER_NOT_FOUND);
  return member;
}

/** Refuses with `002_911` another person's account, where the project demands that the holder is the member. */
export function requireHolderIsMember(
  { comparesMember }: Project,
  member: Member,
  { userName, birthDate }: { readonly userName: string; readonly birthDate: string },
): void {
  if (comparesMember && !isMember(member, userName, birthDate)) throw new Refusal(codes.HOLDER_IS_NOT_MEMBER);
}

/** The refusal, until midnight in Korea, when too many accounts were checked for a member today. */
export function tooManyChecks(): Refusal {
  const retryAfter = Math.ceil((nextKoreanTime(0, Date.now()) - Date.now()) / 1_000);
  return new Refusal(codes.TOO_MANY_REQUESTS, { retryAfter });
}

/**
 * Starts a run with the member's workflow ID, which allows one run at a time. If Temporal refuses it although the
 * registration of the running one has ended, that run is only closing: waits for that, then tries once more. Throws when
 * Temporal does not respond.
 * @param start returns the ID of the run
 * @param isOwn whether a run that is there already is the same operation: then it counts as started
 */
export async function startMemberRun(
  { stores, temporal }: Parts,
  member: Owner,
  start: () => Promise<string>,
  isOwn: (run: DescribedRun) => boolean = () => false,
): Promise<MemberRun> {
  const { userId } = member;
  for (let isLastTry = false; ; isLastTry = true) {
    try {
      return { runId: await start() };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const run = await describeMemberRun(temporal, userId);
      // Gone meanwhile: Temporal is another one, or has deleted it.
      if (!run && !isLastTry) continue;
      if (run && isOwn(run)) return {};
      const running = run?.registrationNumber;
      if (running === undefined) return { runningOperation: {} };
      const known = (await stores.registrations.outline([running])).get(running);
      // A restore of the database lost it, and nobody has brought it back yet. Or somebody has forged the run's attribute.
      if (known?.userId !== userId) return { runningOperation: {} };
      if (isLastTry || !known.isEnded) {
        // One that is handed out has begun. The run of a withdrawn one closes at its next look.
        const isBegun = (await stores.registrations.begin(running)) === 'BEGUN';
        return { runningOperation: isBegun ? await describeRegistration(stores, member, running) : {} };
      }
      await waitUntilClosed(temporal, userId);
    }
  }
}

/**
 * What a client needs to continue with the member's registration. The first response had it too, and may have been lost.
 * @throws {AlteredRow} when it is another member's
 */
export async function describeRegistration(
  stores: Stores,
  member: Owner,
  bankAccRegNo: string,
): Promise<StartedRegistration> {
  const { arsCodeId, details } = await stores.registrations.open(member, bankAccRegNo);
  const { authNumber } = details;
  return { bankAccRegNo, ...(arsCodeId === null && authNumber !== '' && { authNumber }) };
}

/**
 * Registers the member's account for auto charge and waits for the end. Refuses with the code it ended with, or with
 * `002_013` while another operation of the member is running; copies of the request wait for the same end. Throws when
 * it takes too long; the run then continues.
 */
export async function registerAutoCharge(
  parts: Parts,
  member: Member,
  repeatable: RepeatableRequest,
): Promise<void> {
  const { stores, temporal } = parts;
  const { userId, aspId } = member;
  const account = await stores.accounts.findActive(member);
  // Without an account the run refuses. With another one, a repeat must not charge that.
  if (account && (await repeatable.bind(account.registrationNumber)) !== account.registrationNumber)
    throw new Refusal(codes.NO_REGISTERED_ACCOUNT);
  if (account) await orderAutoCharge(parts, member, account.registrationNumber);
  const input: MemberInput = { userId, correlationId: currentCorrelation().correlationId };
  const { digests } = repeatable;
  const start = async () => {
    const run = await temporal.withDeadline(Date.now() + startTimeout, () =>
      temporal.workflow.start(workflowTypes.registerAutoCharge, {
        workflowId: memberWorkflowId(userId),
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        taskQueue,
        args: [input],
        memo: { digests },
        staticSummary: 'Register the account for auto charge',
        typedSearchAttributes: [{ key: searchAttributes.aspId, value: aspId }],
      }),
    );
    return run.firstExecutionRunId;
  };
  const { runningOperation } = await startMemberRun(parts, member, start, (running) =>
    running.digests.some((digest) => digests.includes(digest)),
  );
  if (runningOperation) throw new Refusal(codes.OPERATION_IN_PROGRESS, { payload: { ...runningOperation } });
  const run = temporal.workflow.getHandle(memberWorkflowId(userId));
  const result = temporal.withDeadline(Date.now() + resultTimeout, () => run.result());
  const { resultCode } = requireReadable((await result) as OperationResult);
  if (resultCode !== codes.SUCCESS) throw new Refusal(resultCode);
  // The row decides, not what Temporal holds.
  const { autoChargeSince } = (await stores.accounts.findActive(member)) ?? {};
  if (!autoChargeSince) throw new Refusal(codes.AUTO_CHARGE_FAILED);
}

async function orderAutoCharge({ stores }: Parts, member: Member, registrationNumber: string): Promise<void> {
  const { record } = await stores.registrations.load(member, registrationNumber);
  await stores.ledger.orderAutoCharge(registrationNumber, await stores.policies.get(record.policyId));
}

/** @returns the member's latest run; undefined when there is none */
async function describeMemberRun(temporal: Client, userId: string): Promise<DescribedRun | undefined> {
  const handle = temporal.workflow.getHandle(memberWorkflowId(userId));
  try {
    const description = await temporal.withDeadline(Date.now() + startTimeout, () => handle.describe());
    const digests = description.memo?.['digests'] as readonly string[] | undefined;
    return {
      registrationNumber: description.typedSearchAttributes.get(searchAttributes.registrationNumber),
      // Somebody else's run may hold anything.
      digests: Array.isArray(digests) ? digests : [],
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

async function waitUntilClosed(temporal: Client, userId: string): Promise<void> {
  const run = temporal.workflow.getHandle(memberWorkflowId(userId));
  await temporal
    .withDeadline(Date.now() + closingTimeout, () => run.result())
    // Neither its result nor a timeout matters: the next start decides.
    .catch(() => undefined);
}
